// Characters without a token of their own, written as byte tokens: `<0xE4><0xB8><0xAD>` for 中.

import { QuernError } from '@quern/errors';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';

const utf8 = new TextEncoder();

/** Throws `tokenizer-byte-missing`. */
export function appendByteTokens({ idOf }: Vocabulary, text: string, ids: number[]): void {
  for (const byte of utf8.encode(text)) {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    const id = idOf.get(name) ?? idOf.get(String.fromCharCode(byte));
    if (id === undefined) {
      throw new QuernError(
        'tokenizer-byte-missing',
        `The vocabulary has neither a token for ${JSON.stringify(text)} nor the byte token ${name}.`,
        { remedy: 'Leave the character out of the text, or use a model with byte tokens.' },
      );
    }
    ids.push(id);
  }
}
