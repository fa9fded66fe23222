// Chat templates: Jinja programs inside checkpoints that turn messages into the text a model was trained on. Rendered by
// @huggingface/jinja with the environment that transformers gives them (`apply_chat_template`).
//
// A template is a program from a stranger: it gets no I/O (the language has none), a budget of steps and a bounded output.

import { QuernError } from '@quern/errors';
import { BoundedInterpreter, boundedRange, type TemplateLimits } from './bounded-interpreter.ts';
import { Environment, type Node, parseTemplate } from './jinja.ts';
import { markTree } from './marked-tree.ts';
import { formatTime } from './strftime.ts';

export interface ChatMessage {
  role: string;
  content?: unknown;
  [key: string]: unknown;
}

export interface RenderChatOptions {
  template: string;
  messages: readonly ChatMessage[];
  /** JSON schemas of functions, as in the OpenAI API. */
  tools?: readonly unknown[];
  /** End with the opening of the assistant's turn. Default false, as in transformers. */
  addGenerationPrompt?: boolean;
  bosToken?: string;
  eosToken?: string;
  /** More variables for the template (`enable_thinking`, `date_string`…). */
  extra?: Readonly<Record<string, unknown>>;
  /** What `strftime_now` reads. Default: the present, in local time. */
  now?: Date;
  limits?: Partial<TemplateLimits>;
}

const defaultLimits: TemplateLimits = { steps: 5_000_000, characters: 16 << 20 };
const maxTemplateLength = 1 << 20;
/** The library's lexer takes time by the square of the longest run of blanks. */
const manyBlanks = /\s{4096}/;

/**
 * Renders messages as one prompt.
 *
 * Throws `chat-template-invalid` (the template does not parse), `chat-template-refused` (it called `raise_exception` or
 * failed on these messages; the message is its own) and `chat-template-runaway` (it went over the limits).
 */
export function renderChat(options: RenderChatOptions): string {
  const program = programOf(options.template);
  const environment = new Environment();
  const variables: Record<string, unknown> = {
    ...builtins,
    strftime_now: (format: string) => formatTime(options.now ?? new Date(), format),
    bos_token: options.bosToken,
    eos_token: options.eosToken,
    ...options.extra,
    messages: options.messages,
    tools: options.tools ?? null,
    documents: options.extra?.documents ?? null,
    add_generation_prompt: options.addGenerationPrompt ?? false,
  };
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined) environment.set(name, value);
  }
  try {
    const interpreter = new BoundedInterpreter(environment, { ...defaultLimits, ...options.limits });
    return String(interpreter.run(program).value);
  } catch (error) {
    if (error instanceof QuernError) throw error;
    throw new QuernError('chat-template-refused', `The chat template refused: ${(error as Error).message}`, {
      remedy: 'Change the messages as it asks, or use another template.',
      cause: error,
    });
  }
}

const builtins = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range: boundedRange,
  raise_exception: (message: unknown) => {
    throw new Error(String(message));
  },
};

/** Reading one costs as much as rendering a long conversation, and a server renders few, over and over. */
const programs = new Map<string, Node>();
const mostPrograms = 16;

function programOf(template: string): Node {
  const known = programs.get(template);
  const program = known ?? readTemplate(template);
  // The one that was used longest ago is in front, and goes.
  programs.delete(template);
  programs.set(template, program);
  if (programs.size > mostPrograms) programs.delete(programs.keys().next().value!);
  return program;
}

function readTemplate(template: string): Node {
  if (template.length > maxTemplateLength) {
    throw new QuernError('chat-template-invalid', `The chat template has ${template.length} characters.`, {
      remedy: `Use a template of at most ${maxTemplateLength} characters.`,
    });
  }
  if (manyBlanks.test(template)) {
    throw new QuernError('chat-template-invalid', 'The chat template has thousands of blanks in a row.', {
      remedy: 'Take them out.',
    });
  }
  try {
    const program = parseTemplate(template);
    markTree(program);
    return program;
  } catch (error) {
    throw new QuernError('chat-template-invalid', `The chat template does not parse: ${(error as Error).message}`, {
      remedy: 'Use another template.',
      cause: error,
    });
  }
}
