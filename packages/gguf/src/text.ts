// Strings of a GGUF file as JavaScript strings, without loss. Token strings of real vocabularies may be cut inside a
// UTF-8 sequence. Each byte that is not part of valid UTF-8 becomes the lone surrogate U+DC00 + byte (U+DC80…U+DCFF),
// which valid text never contains, and becomes the same byte again when written (the idea of Python's PEP 383).

const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
const loneSurrogate = /\p{Surrogate}/u;

/** Valid UTF-8 only. @throws TypeError otherwise */
export function decodeUtf8(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}

/** Any bytes; `encodeText` gives the same bytes back. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.length <= 32 && isAscii(bytes)) return String.fromCharCode(...bytes);
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return decodeWithEscapes(bytes);
  }
}

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false;
  return true;
}

function decodeWithEscapes(bytes: Uint8Array): string {
  const parts: string[] = [];
  let validFrom = 0;
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      parts.push(strictDecoder.decode(bytes.subarray(validFrom, i)), String.fromCharCode(0xdc00 + bytes[i]!));
      validFrom = i + 1;
    }
    i += Math.max(length, 1);
  }
  parts.push(strictDecoder.decode(bytes.subarray(validFrom)));
  return parts.join('');
}

/** Bytes of the valid UTF-8 sequence at `i`, or 0 (table 3-7 of the Unicode standard). */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const lead = bytes[i]!;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > bytes.length) return 0;
  // The second byte's range excludes overlong forms, surrogates and code points above U+10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (bytes[i + 1]! < low || bytes[i + 1]! > high) return 0;
  for (let k = 2; k < length; k++) if ((bytes[i + k]! & 0xc0) !== 0x80) return 0;
  return length;
}

/** The inverse of `decodeText`, or undefined for a string with a lone surrogate that stands for no byte. */
export function encodeText(text: string): Uint8Array | undefined {
  if (!loneSurrogate.test(text)) return encoder.encode(text);
  const parts: Uint8Array[] = [];
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (code < 0xd800 || code > 0xdfff) parts.push(encoder.encode(char));
    else if (code >= 0xdc80 && code <= 0xdcff) parts.push(Uint8Array.of(code - 0xdc00));
    else return undefined;
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
