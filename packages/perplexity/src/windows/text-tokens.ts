// The tokens of an evaluation text: the file tokenized in one go, BOS in front where the model wants it, special tokens
// in the text not recognised. Some profiles leave out one newline at the end, as llama.cpp's tools do.
import { QuernError } from '@quern/errors';
import type { Tokenizer } from '@quern/tokenizer';
import { defaultProfile, type Profile } from './profiles.ts';

/**
 * @param bytes the text file as it is on disk
 * @param file its path, for messages
 * @throws QuernError `text-not-utf8`; `tokenizer-adds-eos` for models whose tokenizer appends EOS (the method is not
 *   defined for them)
 */
export function perplexityTokens(
  tokenizer: Tokenizer,
  bytes: Uint8Array,
  file: string,
  { dropsFinalNewline }: Pick<Profile, 'dropsFinalNewline'> = defaultProfile,
): Int32Array {
  if (tokenizer.addEos) {
    throw new QuernError('tokenizer-adds-eos', 'The tokenizer of this model appends EOS: perplexity is not defined.');
  }
  const end = dropsFinalNewline && bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length;
  return tokenizer.encode(decodeText(bytes.subarray(0, end), file), { addSpecial: true });
}

/** @throws QuernError `text-not-utf8` */
export function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new QuernError('text-not-utf8', 'The text is not valid UTF-8.', { file, remedy: 'Convert it to UTF-8.' });
  }
}
