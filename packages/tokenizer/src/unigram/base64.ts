// Base64 as tokenizer.json has it for a character map.
import { malformed } from '../huggingface/checkpoint-files.ts';

/** @throws QuernError `tokenizer-json-malformed` */
export function bytesOfBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw malformed('tokenizer.json', 'is malformed: normalizer.precompiled_charsmap is not base64', cause);
  }
}

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
