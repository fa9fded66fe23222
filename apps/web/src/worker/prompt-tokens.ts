// From what a person wrote to the tokens of a prompt.
import { QuernError } from '@quern/errors';
import { renderChat, type Tokenizer } from '@quern/tokenizer';
import type { ReplyRequest } from '../protocol.ts';

/** @throws QuernError `web-no-chat-template`, and those of `renderChat` */
export function promptTokens(tokenizer: Tokenizer, prompt: ReplyRequest['prompt']): Int32Array {
  if ('text' in prompt) return tokenizer.encode(prompt.text, { addSpecial: true });
  const { chatTemplate: template, bos, eos } = tokenizer;
  if (template === undefined)
    throw new QuernError('web-no-chat-template', 'The model has no chat template.', {
      remedy: 'Let it continue a text instead.',
    });
  const piece = (token: number | undefined) => (token === undefined ? '' : tokenizer.piece(token));
  const text = renderChat({
    template,
    messages: prompt.messages,
    addGenerationPrompt: true,
    bosToken: piece(bos),
    eosToken: piece(eos),
  });
  // The template is the authority on special tokens, BOS included, as in transformers.
  return tokenizer.encode(text, { parseSpecial: true });
}
