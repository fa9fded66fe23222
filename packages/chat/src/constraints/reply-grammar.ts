// What a reply is held to: reasoning as long as it takes, then calls of tools whose arguments are valid under their schemas,
// or an answer that is valid under one, as the request asks.
import { QuernError } from '@quern/errors';
import type { GrammarSource } from '@quern/grammar';
import type { CallFormat, ChatFormat, ToolDefinition } from '../format.ts';
import { bodyGrammar } from './call-grammar.ts';
import { harmonyCall } from './harmony-grammar.ts';
import { freeUntil, markSource, oneOf, optional, sequence, space, text } from './marks.ts';
import { freeOrCalls, recipientAnswer, recipientCallsGrammar } from './recipients-grammar.ts';

export interface ReplyConstraint {
  readonly tools: readonly ToolDefinition[];
  readonly choice: 'auto' | 'required' | 'none' | { readonly name: string };
  /** Whether one reply may call several times. */
  readonly parallel: boolean;
  /** What the answer must be. */
  readonly answer?: GrammarSource;
  /** The prompt ends inside the reasoning. */
  readonly reasoningOpen: boolean;
  /** Whether the reply may begin with reasoning of its own. Default: yes. */
  readonly mayReason?: boolean;
}

/**
 * Undefined where nothing is asked of the reply, or a call has no mark that tells it from an answer.
 * @throws QuernError `tool-unknown`, `tool-calls-unknown`, and of a tool's schema what `compileGrammar` throws
 */
export function replyGrammar(format: ChatFormat, constraint: ReplyConstraint): GrammarSource | undefined {
  const { choice, answer } = constraint;
  const tools = chosenTools(constraint);
  const forced = choice !== 'auto' && choice !== 'none';
  if (forced && !format.calls) {
    const why = format.unseen.calls ?? '';
    throw new QuernError('tool-calls-unknown', `How this model writes tool calls is not known. ${why}`.trim(), {
      remedy: 'Do not force a call, or use a model whose template writes calls.',
    });
  }
  const calls = format.calls && tools.length > 0 ? callsGrammar(format, format.calls, tools, constraint) : undefined;
  const said = answer && answerGrammar(format, answer);
  if (forced) return sequence(reasoningBefore(format, constraint), calls);
  if (said) return sequence(reasoningBefore(format, constraint), calls ? oneOf([calls, said]) : said);
  return calls && freeUntilCalls(format, calls, constraint);
}

/**
 * What of a grammar is the same however many tools there are: undefined where there is none, and its marks.
 * @throws QuernError as `replyGrammar`, of the first tool
 */
export const replySketch = (format: ChatFormat, constraint: ReplyConstraint): GrammarSource | undefined =>
  replyGrammar(format, { ...constraint, tools: chosenTools(constraint).slice(0, 1) });

function chosenTools({ tools, choice }: ReplyConstraint): readonly ToolDefinition[] {
  if (choice === 'none') return [];
  if (typeof choice !== 'object') return tools;
  const named = tools.filter((tool) => tool.function.name === choice.name);
  if (named.length > 0) return named;
  throw new QuernError('tool-unknown', `The tool "${choice.name}" is not among those that the request offers.`, {
    remedy: 'Name one of them.',
  });
}

/** Text as it comes, until calls begin. */
function freeUntilCalls(
  format: ChatFormat,
  calls: GrammarSource,
  constraint: ReplyConstraint,
): GrammarSource | undefined {
  if (format.recipients) return sequence(reasoningBefore(format, constraint), freeOrCalls(format.recipients, calls));
  const mark = (format.calls!.section.open || format.calls!.open).trim();
  // A mark of mere letters may be a word of an answer.
  if (!/[^\w\s]/.test(mark) || format.channels) return undefined;
  // Reasoning first: what it says of calls is none, and the mark that ends it may come at any time.
  return sequence(reasoningBefore(format, constraint), { kind: 'free', until: [firstPiece(mark)] }, optional(calls));
}

/** What a call is known by: its mark as far as the first white space. */
const firstPiece = (mark: string): string => mark.split(/\s/, 1)[0]!;

function reasoningBefore(
  { reasoning, channels }: ChatFormat,
  { reasoningOpen, mayReason = true }: ReplyConstraint,
): GrammarSource | undefined {
  if (!reasoning || (!reasoningOpen && !mayReason)) return undefined;
  const behind = channels ? markSource('<|start|>assistant') : space;
  if (reasoningOpen) return sequence(freeUntil(reasoning.close), behind);
  const whole = optional(sequence(markSource(reasoning.open), freeUntil(reasoning.close), behind));
  return channels ? whole : sequence(space, whole);
}

function answerGrammar({ content, channels, recipients }: ChatFormat, answer: GrammarSource): GrammarSource {
  if (recipients) return recipientAnswer(recipients, answer);
  if (channels) return sequence(markSource('<|channel|>final<|message|>'), answer);
  // White space is part of the source, so that models may begin on a new line.
  return content && !content.beforeCalls
    ? sequence(markSource(content.open), answer, optional(markSource(content.close)))
    : answer;
}

function callsGrammar(
  format: ChatFormat,
  calls: CallFormat,
  tools: readonly ToolDefinition[],
  { parallel }: ReplyConstraint,
): GrammarSource {
  if (format.recipients) return recipientCallsGrammar(format.recipients, tools, parallel, blamed);
  if (format.channels) return oneOf(tools.map((tool) => blamed(tool, () => harmonyCall(tool))));
  const bodies = oneOf(tools.map((tool) => blamed(tool, () => bodyGrammar(calls, tool))));
  const { section, open, close, separator, body } = calls;
  const { content } = format;
  const inList = (body.kind === 'json' || body.kind === 'python') && body.list;
  const one = inList
    ? bodies
    : sequence(
        open ? sequence(markSource(open), space) : undefined,
        bodies,
        space,
        close ? markSource(close) : undefined,
      );
  const between = inList ? sequence(text(','), space) : sequence(separator ? text(separator) : undefined, space);
  const many: GrammarSource =
    parallel && calls.several ? { kind: 'repeat', item: one, min: 1, separator: between } : one;
  return sequence(
    // Templates write the marks of a text that is empty, too; the prompt may have opened it.
    ...(content ? [optional(markSource(content.open)), optional(markSource(content.close))] : []),
    section.open ? sequence(markSource(section.open), space) : undefined,
    inList ? sequence(text('['), space, many, space, text(']')) : many,
    // Models leave it out where nothing follows; it may also be what ends their turn.
    section.close ? optional(sequence(space, markSource(section.close))) : undefined,
  );
}

function blamed<T>(tool: ToolDefinition, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    throw blamedOn(tool, error);
  }
}

/** The fault of a tool's grammar, with its name, which it may have already. */
export function blamedOn(tool: ToolDefinition, error: QuernError): QuernError {
  const { code, message, remedy } = error;
  const named = `The tool "${tool.function.name}": `;
  return message.startsWith(named) ? error : new QuernError(code, named + message, { remedy, cause: error });
}
