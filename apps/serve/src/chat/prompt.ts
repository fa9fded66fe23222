// From chat messages to the text of a prompt, through the model's own template. The template is the authority on
// special tokens (BOS included), as in transformers, so the rendered text is encoded as it stands.
import { QuernError } from '@quern/errors';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { renderMessages } from '../text/render-messages.ts';
import { type RequestMessage, type TemplateMessage, templateMessages } from './messages.ts';

export interface ChatPromptInput {
  messages: readonly RequestMessage[];
  /** Tool definitions in OpenAI's form. */
  tools?: readonly unknown[];
  /** More variables for the template (`enable_thinking`). */
  extra?: Readonly<Record<string, unknown>>;
  /** Default `opened`. */
  ending?: PromptEnding;
}

/** The assistant's turn is opened behind the messages; or not; or the last message goes on. */
export type PromptEnding = 'opened' | 'closed' | 'continued';

/** What the client can mend by changing its request; other template failures are the model's. */
const requestFaults = new Set(['chat-template-refused', 'chat-template-runaway']);

/** @throws ApiError 400 when the model has no template, or the template refuses these messages */
export async function chatText(model: ServedModel, input: ChatPromptInput, signal: AbortSignal): Promise<string> {
  const { messages, tools, extra, ending = 'opened' } = input;
  const { id, tokenizer } = model;
  const template = tokenizer.chatTemplate;
  if (template === undefined) {
    throw new ApiError(400, 'no_chat_template', `The model "${id}" has no chat template; use /v1/completions.`);
  }
  const piece = (token: number | undefined) => (token === undefined ? '' : tokenizer.piece(token));
  const readable = templateMessages(messages);
  try {
    const rendering = {
      template,
      messages: readable,
      ...(tools ? { tools } : {}),
      addGenerationPrompt: ending === 'opened',
      bosToken: piece(tokenizer.bos),
      eosToken: piece(tokenizer.eos),
      ...(extra ? { extra } : {}),
    };
    const text = await renderMessages(model, rendering, signal);
    return ending === 'continued' ? upToLastWord(text, readable.at(-1)) : text;
  } catch (error) {
    if (!(error instanceof QuernError) || !requestFaults.has(error.code)) throw error;
    throw new ApiError(400, error.code.replaceAll('-', '_'), error.message, { param: 'messages' });
  }
}

/** The text of a conversation up to the end of what its last message says. Templates cut white space off, so it may have gone. */
function upToLastWord(rendered: string, last: TemplateMessage | undefined): string {
  const said = last?.role === 'assistant' && typeof last.content === 'string' ? last.content.trimStart() : '';
  const words = said.trimEnd();
  const at = words === '' ? -1 : rendered.lastIndexOf(words);
  if (at >= 0) return rendered.slice(0, at + (rendered.startsWith(said, at) ? said : words).length);
  const message =
    'continue_final_message: the last message must be the assistant’s, with text that the template keeps.';
  throw new ApiError(400, 'invalid_value', message, { param: 'continue_final_message' });
}
