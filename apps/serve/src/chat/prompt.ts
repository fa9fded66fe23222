// From chat messages to the text of a prompt, through the model's own template. The template is the authority on
// special tokens (BOS included), as in transformers, so the rendered text is encoded as it stands.
import { QuernError } from '@quern/errors';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';
import { renderMessages } from '../text/render-messages.ts';
import { type RequestMessage, templateMessages } from './messages.ts';

export interface ChatPromptInput {
  messages: readonly RequestMessage[];
  /** Tool definitions in OpenAI's form. */
  tools?: readonly unknown[];
  /** More variables for the template (`enable_thinking`). */
  extra?: Readonly<Record<string, unknown>>;
}

/** What the client can mend by changing its request; other template failures are the model's. */
const requestFaults = new Set(['chat-template-refused', 'chat-template-runaway']);

/** @throws ApiError 400 when the model has no template, or the template refuses these messages */
export async function chatText(
  model: ServedModel,
  { messages, tools, extra }: ChatPromptInput,
  signal: AbortSignal,
): Promise<string> {
  const { id, tokenizer } = model;
  const template = tokenizer.chatTemplate;
  if (template === undefined) {
    throw new ApiError(400, 'no_chat_template', `The model "${id}" has no chat template; use /v1/completions.`);
  }
  const piece = (token: number | undefined) => (token === undefined ? '' : tokenizer.piece(token));
  try {
    const rendering = {
      template,
      messages: templateMessages(messages),
      ...(tools ? { tools } : {}),
      addGenerationPrompt: true,
      bosToken: piece(tokenizer.bos),
      eosToken: piece(tokenizer.eos),
      ...(extra ? { extra } : {}),
    };
    return await renderMessages(model, rendering, signal);
  } catch (error) {
    if (!(error instanceof QuernError) || !requestFaults.has(error.code)) throw error;
    throw new ApiError(400, error.code.replaceAll('-', '_'), error.message, { param: 'messages' });
  }
}
