// The byte alphabet of byte-level BPE (GPT-2): each byte is written as one printable character, so that vocabulary files
// hold no control bytes. Bytes that are printable in Latin-1 stand for themselves; the others get U+0100, U+0101, … in order.

const printable = (byte: number) =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

/** The character of each byte. */
export const byteCharacters: readonly string[] = (() => {
  let shifted = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : shifted++));
})();

const byteOfCharacter = new Map(byteCharacters.map((character, byte) => [character, byte]));
const utf8 = new TextEncoder();

/** Bytes of a token text. Characters outside the alphabet (added tokens have them) stand for their own UTF-8. */
export function bytesOfByteLevelText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const byte = byteOfCharacter.get(character);
    if (byte === undefined) bytes.push(...utf8.encode(character));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
