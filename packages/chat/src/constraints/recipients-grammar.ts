// What a reply of messages with headers is held to: the header says first who it is for, so it is held from the start.
import type { GrammarSource } from '@quern/grammar';
import type { RecipientsFormat, ToolDefinition } from '../format.ts';
import { argumentsSource, bodyGrammar } from './call-grammar.ts';
import { markSource, oneOf, optional, sequence, space, text } from './marks.ts';

const header = ({ beforeName, afterName }: RecipientsFormat, name: string): GrammarSource =>
  sequence(beforeName === '' ? undefined : markSource(beforeName), text(name), markSource(afterName));

/** Calls, the first of which stands where the prompt ends. @param written what is made of each tool */
export function recipientCallsGrammar(
  format: RecipientsFormat,
  tools: readonly ToolDefinition[],
  parallel: boolean,
  written: (tool: ToolDefinition, make: () => GrammarSource) => GrammarSource,
): GrammarSource {
  const calls = oneOf(
    tools.map((tool) => written(tool, () => sequence(header(format, tool.function.name), argumentsOf(format, tool)))),
  );
  if (!parallel) return calls;
  return { kind: 'repeat', item: calls, min: 1, separator: nextHeader(format) };
}

const nextHeader = ({ end, begin }: RecipientsFormat): GrammarSource =>
  sequence(end === '' ? undefined : markSource(end), space, markSource(begin));

function argumentsOf({ inner }: RecipientsFormat, tool: ToolDefinition): GrammarSource {
  if (!inner) return argumentsSource(tool);
  return sequence(markSource(inner.open), bodyGrammar(inner, tool), space, markSource(inner.close));
}

export const recipientAnswer = (format: RecipientsFormat, answer: GrammarSource): GrammarSource =>
  sequence(header(format, format.content), answer);

/** Calls, or text for the user with calls behind it. */
export const freeOrCalls = (format: RecipientsFormat, calls: GrammarSource): GrammarSource =>
  oneOf([
    calls,
    sequence(
      header(format, format.content),
      { kind: 'free', until: [(format.end || format.begin).trim()] },
      optional(sequence(nextHeader(format), calls)),
    ),
  ]);
