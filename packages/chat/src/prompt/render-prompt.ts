// From messages to the text of a prompt, in the shape that the template reads, with thinking switched as the request asks.
import { QuernError } from '@quern/errors';
import { type ChatMessage, type RenderChatOptions, renderChat } from '@quern/tokenizer';
import type { Special } from '../analysis/probe.ts';
import type { ChatFormat, ToolDefinition } from '../format.ts';
import { functionsVariables } from '../functions-variable.ts';
import { templateMessages, templateTools } from './messages.ts';

export interface PromptOptions {
  /** In OpenAI's form; contents are texts, and earlier reasoning is `reasoning_content`. */
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolDefinition[];
  /** Undefined: as the template does. A word says how much, for templates that ask. */
  readonly thinking?: boolean | string;
  /** More variables of the template; they go before what `thinking` sets. */
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly special: Special;
  /** Default true. */
  readonly addGenerationPrompt?: boolean;
  /** The reply goes on with the last message, an assistant's. */
  readonly continueFinalMessage?: boolean;
}

export interface Prompt {
  readonly text: string;
  /** It ends inside the reasoning. */
  readonly reasoningOpen: boolean;
}

/** @throws QuernError what `renderChat` throws */
export function renderPrompt(format: ChatFormat, template: string, options: PromptOptions): Prompt {
  return promptOf(format, renderChat(promptRendering(format, template, options)), options);
}

/** What `renderChat` is asked, for those who call it elsewhere; `promptOf` makes a prompt of what it says. */
export function promptRendering(format: ChatFormat, template: string, options: PromptOptions): RenderChatOptions {
  const { tools, special, continueFinalMessage } = options;
  return {
    template,
    messages: templateMessages(format, options.messages),
    ...(tools?.length && { tools: templateTools(format, tools) }),
    addGenerationPrompt: opensReply(options) && !continueFinalMessage,
    extra: {
      ...(format.messages.toolsAsFunctions && functionsVariables(tools ?? [], new Date())),
      ...thinkingVariables(format, options.thinking),
      ...options.variables,
    },
    ...special,
  };
}

const opensReply = ({ addGenerationPrompt = true }: PromptOptions): boolean => addGenerationPrompt;

export function promptOf(format: ChatFormat, rendered: string, options: PromptOptions): Prompt {
  if (options.continueFinalMessage)
    return { text: upToContent(rendered, options.messages.at(-1)), reasoningOpen: false };
  if (!opensReply(options)) return { text: rendered, reasoningOpen: false };
  const thinks = options.thinking !== false && options.thinking !== 'none';
  const text = thinks ? rendered : withoutReasoning(format, rendered);
  const { reasoning } = format;
  return { text, reasoningOpen: reasoning !== undefined && text.trimEnd().endsWith(reasoning.open) };
}

/** From least to most. */
const levels = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

function thinkingVariables({ thinking }: ChatFormat, asked: boolean | string | undefined): Record<string, unknown> {
  if (!thinking || asked === undefined) return {};
  const { name, on, off, effort } = thinking;
  const thinks = asked !== false && asked !== 'none';
  const level = effort && typeof asked === 'string' && thinks ? nearestLevel(asked, effort.values) : undefined;
  return {
    ...(name !== undefined && { [name]: thinks ? on : off }),
    ...(level !== undefined && { [effort!.name]: level }),
  };
}

/** Of the levels that a template knows. */
function nearestLevel(asked: string, known: readonly string[]): string | undefined {
  const place = levels.indexOf(asked);
  if (place < 0 || known.includes(asked)) return asked;
  const distance = (level: string) => Math.abs(levels.indexOf(level) - place);
  return [...known].sort((a, b) => distance(a) - distance(b))[0];
}

/** Where the template has no switch, or it did not close what it opens: reasoning that is over before it begins. */
function withoutReasoning({ reasoning, channels, recipients, thinking }: ChatFormat, text: string): string {
  if (!reasoning) return text;
  const end = text.trimEnd();
  if (channels) return `${text}${reasoning.open}${reasoning.close}<|start|>assistant`;
  if (recipients) return text + reasoning.open + reasoning.close;
  if (end.endsWith(reasoning.open)) return `${end}\n\n${reasoning.close}\n\n`;
  if (end.endsWith(reasoning.close) || thinking?.name !== undefined) return text;
  return `${text}${reasoning.open}\n\n${reasoning.close}\n\n`;
}

/** As transformers does: all that the template writes behind the last content is cut. Templates cut white space off, too. */
function upToContent(rendered: string, message: ChatMessage | undefined): string {
  const said = message?.role === 'assistant' && typeof message.content === 'string' ? message.content.trimStart() : '';
  const words = said.trimEnd();
  const at = words === '' ? -1 : rendered.lastIndexOf(words);
  if (at >= 0) return rendered.slice(0, at + (rendered.startsWith(said, at) ? said : words).length);
  throw new QuernError(
    'chat-nothing-to-continue',
    "The last message must be the assistant's, with text that the template keeps, for a reply to go on with it.",
  );
}
