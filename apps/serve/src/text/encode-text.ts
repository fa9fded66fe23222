// A client's text as tokens, without holding up other clients: what cannot fit is refused by its length before any work, and long texts are
// encoded on a thread of their own.
import { type EncodeOptions, encodePair, type TextPair } from '@quern/tokenizer';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';

/** Encoded within 10 ms on a slow machine, whatever it is made of (1.5 MB/s and more were measured); asking a thread takes a tenth of that. */
const longText = 16_384;

export interface TextOrigin {
  /** The field that the text came from. */
  readonly param: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
}

/**
 * The tokens of `text`, which must fit in the context together with one token of a reply.
 * @throws ApiError 400 `context_length_exceeded` when its length alone says that it does not fit
 */
export function encodePrompt(
  model: ServedModel,
  text: string,
  options: EncodeOptions,
  { param, signal }: TextOrigin,
): Promise<Int32Array> {
  requireRoom(model, text, param);
  return encodeText(model, text, options, signal);
}

/** The tokens of a text of any length. */
export async function encodeText(
  { tokenizer, texts }: ServedModel,
  text: string,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Int32Array> {
  return text.length <= longText ? tokenizer.encode(text, options) : texts.encode(text, options, signal);
}

/** Two texts as a model of pairs takes them. */
export async function encodeTextPair(
  { tokenizer, texts }: ServedModel,
  first: string,
  second: string,
  signal: AbortSignal,
): Promise<TextPair> {
  const isShort = first.length + second.length <= longText;
  return isShort ? encodePair(tokenizer, first, second) : texts.pair(first, second, signal);
}

function requireRoom({ tokenizer, contextTokens }: ServedModel, text: string, param: string): void {
  const most = contextTokens * tokenizer.longestToken;
  // A unit of UTF-16 is three bytes at most, so most texts need not be looked at.
  if (3 * text.length <= most || !hasMoreBesideBlanks(text, most)) return;
  const message =
    `The prompt has ${Buffer.byteLength(text)} bytes; the maximum context length is ${contextTokens} tokens, ` +
    `which is ${most} bytes at most, blanks not counted.`;
  throw new ApiError(400, 'context_length_exceeded', message, { param });
}

/** Special tokens may swallow the blanks beside them, so these prove nothing. */
function hasMoreBesideBlanks(text: string, bytes: number): boolean {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)) continue;
    // A half of a surrogate pair has two of its four.
    const isHalf = unit >= 0xd800 && unit <= 0xdfff;
    count += unit < 0x80 ? 1 : unit < 0x800 || isHalf ? 2 : 3;
    if (count > bytes) return true;
  }
  return false;
}
