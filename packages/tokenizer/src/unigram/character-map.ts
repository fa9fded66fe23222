// SentencePiece's `precompiled_charsmap`: which characters become which before a text is cut (NFKC and its kin). A trie
// of UTF-8 bytes as a double array (Darts), then the replacements, each ended by a zero byte.
// Layout of a unit of 32 bits: bit 31: a value (index of the replacement); else bits 0…7: the byte that leads here, bit 8:
// has a value, bit 9: the offset is shifted by 8, bits 10…30: offset.
// Source: sentencepiece src/normalizer.cc; darts-clone.

import { QuernError } from '@quern/errors';

export class CharacterMap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #utf8 = new TextEncoder();
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true });

  /** @throws QuernError `character-map-malformed` */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = bytes.length < 4 ? 0 : view.getUint32(0, true);
    if (size === 0 || size % 4 !== 0 || size + 4 >= bytes.length) throw malformed('its size is wrong');
    this.#units = Uint32Array.from({ length: size / 4 }, (_, unit) => view.getUint32(4 + 4 * unit, true));
    this.#replacements = bytes.subarray(4 + size);
    if (this.#replacements.at(-1) !== 0) throw malformed('its last replacement has no end');
  }

  /** The longest match at each place is replaced; what matches nothing stays. */
  map(text: string): string {
    const bytes = this.#utf8.encode(text);
    const parts: Uint8Array[] = [];
    let kept = 0;
    for (let at = 0; at < bytes.length; ) {
      const { length, value } = this.#longest(bytes, at);
      if (length === 0) {
        at += widthOf(bytes[at] as number);
        continue;
      }
      parts.push(bytes.subarray(kept, at), this.#replacement(value));
      at += length;
      kept = at;
    }
    parts.push(bytes.subarray(kept));
    return parts.map((part) => this.#text.decode(part)).join('');
  }

  #longest(bytes: Uint8Array, start: number): { length: number; value: number } {
    const units = this.#units;
    let node = offsetOf(units[0] as number);
    let found = { length: 0, value: 0 };
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      node ^= byte;
      const unit = units[node];
      if (byte === 0 || unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) break;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1) found = { length: at - start + 1, value: (units[node] ?? 0) & 0x7fffffff };
    }
    return found;
  }

  #replacement(start: number): Uint8Array {
    const end = this.#replacements.indexOf(0, start);
    if (end < 0) throw malformed('a replacement lies outside it');
    return this.#replacements.subarray(start, end);
  }
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

const widthOf = (first: number): number => (first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);

const malformed = (what: string): QuernError =>
  new QuernError('character-map-malformed', `The tokenizer's precompiled_charsmap is malformed: ${what}.`, {
    remedy: 'Download the tokenizer files again.',
  });
