// The character map of a SentencePiece model (`precompiled_charsmap`): which texts become which before anything is cut, NFKC
// and some more in most models. Bytes: the length of a trie, its units of 32 bits, then the results, each ended by a 0.
// The trie is a double array (github.com/s-yata/darts-clone): a unit has a label (bits 0–7), whether it ends a text (8) and
// where its children are (9–31); children of a node are found by xor with the next byte.
import { QuernError } from '@quern/errors';

export interface MappedPrefix {
  /** Bytes of the text that it covers. */
  readonly length: number;
  readonly text: string;
}

/** More than the map of any language has. */
const maxBytes = 1 << 26;
const valueBits = 2 ** 31 - 1;

export class CharacterMap {
  readonly #units: Uint32Array;
  readonly #results: Uint8Array;
  readonly #utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

  /** @throws QuernError `character-map-malformed` */
  constructor(bytes: Uint8Array) {
    const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const length = bytes.length < 4 || bytes.length > maxBytes ? 0 : data.getUint32(0, true);
    if (length < 4 || length % 4 !== 0 || 4 + length >= bytes.length) throw malformed(`it has ${bytes.length} bytes`);
    this.#units = Uint32Array.from({ length: length / 4 }, (_, i) => data.getUint32(4 + 4 * i, true));
    this.#results = bytes.subarray(4 + length);
  }

  /** What the shortest text that `bytes` begins with becomes. */
  shortest(bytes: Uint8Array): string | undefined {
    for (const { value } of this.#prefixes(bytes, 0)) return this.#textAt(value);
    return undefined;
  }

  /** The longest text at `at` that the map has. */
  longest(bytes: Uint8Array, at: number): MappedPrefix | undefined {
    let found: { length: number; value: number } | undefined;
    for (const prefix of this.#prefixes(bytes, at)) found = prefix;
    return found && { length: found.length, text: this.#textAt(found.value) };
  }

  *#prefixes(bytes: Uint8Array, at: number): Generator<{ length: number; value: number }> {
    let node = offsetOf(this.#unit(0));
    for (let i = at; i < bytes.length && bytes[i] !== 0; i++) {
      node ^= bytes[i]!;
      const unit = this.#unit(node);
      // Bit 31 marks a value: no byte leads there.
      if ((unit & 0x800000ff) >>> 0 !== bytes[i]) return;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1) yield { length: i - at + 1, value: this.#unit(node) & valueBits };
    }
  }

  #unit(index: number): number {
    const unit = this.#units[index];
    if (unit === undefined) throw malformed(`its trie leads to unit ${index} of ${this.#units.length}`);
    return unit;
  }

  #textAt(start: number): string {
    const end = this.#results.indexOf(0, start);
    if (start >= this.#results.length || end < 0) throw malformed(`a result begins at ${start} and does not end`);
    return this.#utf8.decode(this.#results.subarray(start, end));
  }
}

const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & (1 << 9)) >>> 6)) >>> 0;

const malformed = (what: string): QuernError =>
  new QuernError('character-map-malformed', `The character map of the tokenizer is damaged: ${what}.`, {
    remedy: 'Fetch the tokenizer files, or the model, again.',
  });
