// Renders small conversations with words that occur nowhere else, so that what a template writes around them shows.
import { QuernError } from '@quern/errors';
import { type ChatMessage, renderChat } from '@quern/tokenizer';
import type { ToolDefinition } from '../format.ts';
import { functionsVariables, readsFunctions } from '../functions-variable.ts';

/** One each for what a conversation consists of. */
export const words = {
  instruction: 'Sx7instruction',
  otherInstruction: 'Tz7instruction',
  question: 'Qy7question',
  answer: 'Cx7answer',
  reasoning: 'Rz7reasoning',
  tool: 'fn7probe',
  otherTool: 'go7other',
  key: 'key7one',
  otherKey: 'par7two',
  value: 'Val7one',
  otherValue: 4711,
  lastValue: 'Val7last',
  // Mistral's templates insist on nine letters and digits.
  id: 'idA700001',
  otherId: 'zzB800002',
} as const;

const definition = (name: string): ToolDefinition => ({
  type: 'function',
  function: {
    name,
    description: 'Does something.',
    parameters: {
      type: 'object',
      properties: {
        [words.key]: { type: 'string', description: 'A text.' },
        [words.otherKey]: { type: 'integer', description: 'A number.' },
      },
      required: [words.key],
    },
  },
});

export const probeTools = [definition(words.tool), definition(words.otherTool)];

const mostNames = 12;

/** Words of a template that may name reasoning, a field of a message or a switch, other than those that are known. */
export function reasoningNames(template: string, known: readonly string[]): string[] {
  const named = template.match(/\b[a-z_]*(?:think|thought|reason|rationale|reflect|ponder|analysis|\bcot\b)[a-z_]*\b/g);
  return [...new Set(named ?? [])].filter((name) => !known.includes(name)).slice(0, mostNames);
}

export interface Special {
  readonly bosToken: string;
  readonly eosToken: string;
}

/** A small conversation takes some thousands; the rest is for templates that loop. */
const limits = { steps: 300_000, characters: 1 << 20 };

export class Probe {
  readonly template: string;
  readonly #special: Special;
  /** What the template said last when it refused. */
  refusal: string | undefined;
  #dead = false;

  constructor(template: string, special: Special) {
    this.template = template;
    this.#special = special;
  }

  /** Undefined when the template refuses. */
  render(
    messages: readonly ChatMessage[],
    options: {
      prompt?: boolean;
      /** A system prompt before the question. */
      system?: string;
      tools?: boolean | readonly ToolDefinition[];
      extra?: Readonly<Record<string, unknown>>;
    } = {},
  ): string | undefined {
    if (this.#dead) return undefined;
    const { tools = true, system } = options;
    const first = system === undefined ? [] : [{ role: 'system', content: system }];
    try {
      return renderChat({
        template: this.template,
        messages: [...first, { role: 'user', content: words.question }, ...messages],
        ...(tools && { tools: tools === true ? probeTools : tools }),
        addGenerationPrompt: options.prompt ?? false,
        extra: {
          ...(readsFunctions(this.template) &&
            functionsVariables(tools === true ? probeTools : tools || [], new Date(0))),
          ...options.extra,
        },
        now: new Date(0),
        limits,
        ...this.#special,
      });
    } catch (error) {
      if (!(error instanceof QuernError)) throw error;
      this.refusal = error.message;
      // Once is enough to wait for a template that loops, or does not parse.
      this.#dead = error.code !== 'chat-template-refused';
      return undefined;
    }
  }
}
