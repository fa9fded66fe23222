// vLLM's form of /tokenize: a prompt, or the messages of a chat, to tokens with their number and the context that they go in.
import { z } from 'zod';
import { chatTokens } from '../chat/chat.ts';
import type { ModelLease } from '../models/model-host.ts';
import { chatOf, chatShape } from '../openai/chat-completions.ts';
import { encodeText } from '../text/encode-text.ts';

export const vllmFields = {
  ...chatShape.shape,
  prompt: z.string().optional(),
  messages: chatShape.shape.messages.optional(),
  return_token_strs: z.boolean().nullish(),
};

const shape = z.looseObject(vllmFields);
type VllmRequest = z.infer<typeof shape>;

/** @throws ApiError 400 */
export async function vllmTokens(request: VllmRequest, lease: ModelLease, signal: AbortSignal): Promise<object> {
  const { prompt, messages, return_token_strs: showsTexts } = request;
  const { model } = lease;
  const addSpecial = request.add_special_tokens ?? true;
  const tokens = messages
    ? await chatTokens(lease, chatOf({ ...request, messages }), signal)
    : await encodeText(model, prompt!, { addSpecial, parseSpecial: true }, signal);
  return {
    ...{ count: tokens.length, max_model_len: model.contextTokens, tokens: [...tokens] },
    token_strs: showsTexts ? [...tokens].map((id) => model.tokenizer.piece(id)) : null,
  };
}
