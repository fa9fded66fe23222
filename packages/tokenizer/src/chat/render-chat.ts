// Chat templates: Jinja programs inside checkpoints that turn messages into the text a model was trained on. Rendered by
// the interpreter in jinja/ with the environment that transformers gives them (`apply_chat_template`).
//
// A template is a program from a stranger: it gets no I/O (the language has none), a budget of steps and a bounded output.

import { QuernError } from '@quern/errors';
import { Budget, type TemplateLimits } from '../jinja/budget.ts';
import { globals } from '../jinja/globals.ts';
import { Interpreter } from '../jinja/interpreter.ts';
import { parseTemplate } from '../jinja/parser.ts';
import { printed } from '../jinja/print.ts';
import { runaway } from '../jinja/runaway.ts';
import { Scope } from '../jinja/scope.ts';
import { withSpending } from '../jinja/spending.ts';
import type { Block } from '../jinja/syntax.ts';
import { Callable, fromJson } from '../jinja/values.ts';
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

/**
 * Renders messages as one prompt.
 *
 * Throws `chat-template-invalid` (the template does not parse), `chat-template-refused` (it called `raise_exception` or
 * failed on these messages; the message is its own) and `chat-template-runaway` (it went over the limits).
 */
export function renderChat(options: RenderChatOptions): string {
  const program = programOf(options.template);
  const scope = new Scope();
  for (const [name, value] of Object.entries(globals)) scope.set(name, value);
  const now = options.now ?? new Date();
  scope.set('strftime_now', new Callable('strftime_now', ([format = '']) => formatTime(now, printed(format))));
  const variables: Record<string, unknown> = {
    bos_token: options.bosToken,
    eos_token: options.eosToken,
    ...options.extra,
    messages: options.messages,
    tools: options.tools ?? null,
    documents: options.extra?.documents ?? null,
    add_generation_prompt: options.addGenerationPrompt ?? false,
  };
  for (const [name, value] of Object.entries(variables)) {
    if (value !== undefined) scope.set(name, fromJson(value));
  }
  try {
    const budget = new Budget({ ...defaultLimits, ...options.limits });
    return withSpending(() => new Interpreter(budget).run(program, scope));
  } catch (error) {
    if (error instanceof QuernError) throw error;
    // JavaScript's own limits, of the stack and of a text's length.
    if (error instanceof RangeError) throw runaway('calls itself too deeply, or makes too long a text');
    throw new QuernError('chat-template-refused', `The chat template refused: ${(error as Error).message}`, {
      remedy: 'Change the messages as it asks, or use another template.',
      cause: error,
    });
  }
}

/** Reading one costs as much as rendering a long conversation, and a server renders few, over and over. */
const programs = new Map<string, Block>();
const mostPrograms = 16;

function programOf(template: string): Block {
  const known = programs.get(template);
  const program = known ?? readTemplate(template);
  // The one that was used longest ago is in front, and goes.
  programs.delete(template);
  programs.set(template, program);
  if (programs.size > mostPrograms) programs.delete(programs.keys().next().value!);
  return program;
}

function readTemplate(template: string): Block {
  if (template.length > maxTemplateLength) {
    throw new QuernError('chat-template-invalid', `The chat template has ${template.length} characters.`, {
      remedy: `Use a template of at most ${maxTemplateLength} characters.`,
    });
  }
  try {
    return parseTemplate(template);
  } catch (error) {
    throw new QuernError('chat-template-invalid', `The chat template does not parse: ${(error as Error).message}`, {
      remedy: 'Use another template.',
      cause: error,
    });
  }
}
