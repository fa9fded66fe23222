// Base64 without Node's Buffer.

import { QuernError } from '@quern/errors';

/** @throws QuernError `tokenizer-base64` */
export function base64Bytes(text: string, file: string, what: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new QuernError('tokenizer-base64', `${file} is malformed: ${what} is not Base64.`, {
      file,
      cause,
      remedy: 'Download the file again.',
    });
  }
}
