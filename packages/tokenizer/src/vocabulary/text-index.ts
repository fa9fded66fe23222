// The ids of a vocabulary's texts, found by two texts put together as well. A Map would want the joined text made and hashed,
// for each of half a million merges.

/** Another for each process: nobody can write a vocabulary whose texts all fall together. */
const seed = (Math.random() * 2 ** 32) | 0;
const factor = (Math.random() * 2 ** 30) | 0 | 0x40000001;

const hashed = (start: number, text: string): number => {
  let hash = start;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), factor);
    hash ^= hash >>> 15;
  }
  return hash;
};

export class TextIndex {
  readonly #texts: readonly string[];
  readonly #mask: number;
  /** Hash and id of each slot, side by side; the id is -1 where a slot is free. */
  readonly #slots: Int32Array;
  #size = 0;

  /** @param counts which ids are in it; of texts that are there twice the first */
  constructor(texts: readonly string[], counts: (id: number) => boolean = () => true) {
    let capacity = 16;
    while (capacity < texts.length * 2) capacity *= 2;
    this.#texts = texts;
    this.#mask = capacity - 1;
    this.#slots = new Int32Array(2 * capacity).fill(-1);
    for (let id = 0; id < texts.length; id++) {
      if (!counts(id)) continue;
      const text = texts[id] as string;
      const hash = hashed(seed, text);
      const slot = this.#slotOf(hash, text, '');
      if (this.#slots[slot + 1] !== -1) continue;
      this.#slots[slot] = hash;
      this.#slots[slot + 1] = id;
      this.#size++;
    }
  }

  /** Different texts. */
  get size(): number {
    return this.#size;
  }

  get(text: string): number | undefined {
    const id = this.findJoined(text, '');
    return id === -1 ? undefined : id;
  }

  has(text: string): boolean {
    return this.findJoined(text, '') !== -1;
  }

  /** The id of two texts put together, or -1. */
  findJoined(left: string, right: string): number {
    return this.#slots[this.#slotOf(hashed(hashed(seed, left), right), left, right) + 1] as number;
  }

  /** Where the text stands, else the free slot where it would. */
  #slotOf(hash: number, left: string, right: string): number {
    let slot = (hash ^ (hash >>> 16)) & this.#mask;
    for (;;) {
      const id = this.#slots[2 * slot + 1] as number;
      if (id === -1 || (this.#slots[2 * slot] === hash && isJoined(this.#texts[id] as string, left, right)))
        return 2 * slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}

const isJoined = (text: string, left: string, right: string): boolean =>
  right === '' ? text === left : text.length === left.length + right.length && text === left + right;
