// A client's text as tokens, without holding up other clients: what cannot fit is refused by its length before any work, and long texts are
// encoded on a thread of their own.
import { type EncodeOptions, encodePairs, type TextPair } from '@quern/tokenizer';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';

/** Encoded within 10 ms on a slow machine, whatever it is made of (1.5 MB/s and more were measured); asking a thread takes a tenth of that. */
const longText = 16_384;

/** What a call takes, in characters. */
const callLength = 16;

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
  requireRoom(model, [text], param);
  return encodeText(model, text, options, signal);
}

/** The tokens of a text of any length. */
export async function encodeText(
  model: ServedModel,
  text: string,
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Int32Array> {
  const [tokens] = await encodeTexts(model, [text], options, signal);
  return tokens!;
}

/** The tokens of each text; many short ones are as much work as a long one. */
export async function encodeTexts(
  { tokenizer, texts: thread }: ServedModel,
  texts: readonly string[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<readonly Int32Array[]> {
  signal.throwIfAborted();
  if (areLong(texts)) return thread.encode(texts, options, signal);
  return texts.map((text) => tokenizer.encode(text, options));
}

/** The tokens of texts with ids of the vocabulary between them. */
export async function encodeParts(
  model: ServedModel,
  parts: readonly (number | string)[],
  options: EncodeOptions,
  signal: AbortSignal,
): Promise<Int32Array> {
  const texts = parts.filter((part) => typeof part === 'string');
  const encoded = (await encodeTexts(model, texts, options, signal)).values();
  const pieces = parts.map((part) => (typeof part === 'number' ? [part] : encoded.next().value!));
  const tokens = new Int32Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    tokens.set(piece, at);
    at += piece.length;
  }
  return tokens;
}

/** One text with each of others, as a model of pairs takes them. */
export async function encodeTextPairs(
  { tokenizer, texts: thread }: ServedModel,
  first: string,
  seconds: readonly string[],
  signal: AbortSignal,
): Promise<readonly TextPair[]> {
  signal.throwIfAborted();
  if (areLong([first, ...seconds])) return thread.pairs(first, seconds, signal);
  return encodePairs(tokenizer, first, seconds);
}

/** Together, with what each takes however short it is. */
function areLong(texts: readonly string[]): boolean {
  let length = 0;
  for (const text of texts) {
    length += text.length + callLength;
    if (length > longText + callLength) return true;
  }
  return false;
}

/**
 * For texts of one prompt.
 * @throws ApiError 400 `context_length_exceeded` when their length alone says that they do not fit
 */
export function requireRoom({ tokenizer, contextTokens }: ServedModel, texts: readonly string[], param: string): void {
  const most = contextTokens * tokenizer.longestToken;
  const units = texts.reduce((sum, { length }) => sum + length, 0);
  // A unit of UTF-16 is three bytes at most, so most texts need not be looked at.
  if (3 * units <= most || !haveMoreBesideBlanks(texts, most)) return;
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const message =
    `The prompt has ${bytes} bytes; the maximum context length is ${contextTokens} tokens, ` +
    `which is ${most} bytes at most, blanks not counted.`;
  throw new ApiError(400, 'context_length_exceeded', message, { param });
}

/** Special tokens may swallow the blanks beside them, so these prove nothing. */
function haveMoreBesideBlanks(texts: readonly string[], bytes: number): boolean {
  let count = 0;
  for (const text of texts)
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
