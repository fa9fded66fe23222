// The keys of a token list: `tokenizer.ggml.tokens`, `.scores`, `.token_type`, `.merges`.

import type { GgufLikeMetadata } from './gguf-like-value.ts';
import type { TokenEntry } from './token-list.ts';

export function writeTokens(metadata: GgufLikeMetadata, tokens: readonly TokenEntry[], scores: boolean): void {
  const texts = tokens.map(({ text }) => text);
  metadata.set('tokenizer.ggml.tokens', { type: 'array', of: 'string', value: texts });
  if (scores) {
    const values = tokens.map(({ score }) => score);
    metadata.set('tokenizer.ggml.scores', { type: 'array', of: 'float32', value: values });
  }
  const types = tokens.map(({ type }) => type);
  metadata.set('tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: types });
}

export function writeMerges(metadata: GgufLikeMetadata, merges: readonly (readonly [string, string])[]): void {
  if (merges.length === 0) return;
  // A space within a token would look like the separator: it is written as the byte alphabet writes it.
  const written = (part: string) => (part.includes(' ') ? part.replaceAll(' ', 'Ġ') : part);
  const lines = merges.map(([left, right]) => `${written(left)} ${written(right)}`);
  metadata.set('tokenizer.ggml.merges', { type: 'array', of: 'string', value: lines });
}

export function setText(metadata: GgufLikeMetadata, key: string, value: string): void {
  metadata.set(key, { type: 'string', value });
}

export function setFlag(metadata: GgufLikeMetadata, key: string, value: boolean): void {
  metadata.set(key, { type: 'bool', value });
}
