// What two neighbouring symbols become, and how urgent that is: a hash table from (left, right) to (rank, merged symbol)
// in flat arrays. A Map with string keys would take ten times the memory and most of the encoding time.

/** Symbols are token ids; ids from the vocabulary's size on are texts that are no token (unknown characters). */
export class MergeTable {
  #mask: number;
  #left: Int32Array;
  #right: Int32Array;
  #rank: Int32Array;
  #merged: Int32Array;
  #size = 0;

  /** Room for `expected` pairs; it grows when more come. */
  constructor(expected: number) {
    let capacity = 16;
    while (capacity < expected * 2) capacity *= 2;
    this.#mask = capacity - 1;
    this.#left = new Int32Array(capacity).fill(-1);
    this.#right = new Int32Array(capacity);
    this.#rank = new Int32Array(capacity);
    this.#merged = new Int32Array(capacity);
  }

  /** Adds a pair; a pair that is there already keeps its rank. Lower ranks merge first. */
  add(left: number, right: number, rank: number, merged: number): void {
    if (this.#size * 2 > this.#mask) this.#grow();
    const slot = this.#slotOf(left, right);
    if (this.#left[slot] !== -1) return;
    this.#left[slot] = left;
    this.#right[slot] = right;
    this.#rank[slot] = rank;
    this.#merged[slot] = merged;
    this.#size++;
  }

  /** The slot of a pair, or -1 when the two do not merge. */
  find(left: number, right: number): number {
    const slot = this.#slotOf(left, right);
    return this.#left[slot] === -1 ? -1 : slot;
  }

  rank(slot: number): number {
    return this.#rank[slot] as number;
  }

  merged(slot: number): number {
    return this.#merged[slot] as number;
  }

  #slotOf(left: number, right: number): number {
    const mask = this.#mask;
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (this.#left[slot] !== -1 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const larger = new MergeTable(this.#mask + 1);
    for (let slot = 0; slot <= this.#mask; slot++) {
      if (this.#left[slot] === -1) continue;
      larger.add(
        this.#left[slot] as number,
        this.#right[slot] as number,
        this.#rank[slot] as number,
        this.#merged[slot] as number,
      );
    }
    this.#mask = larger.#mask;
    this.#left = larger.#left;
    this.#right = larger.#right;
    this.#rank = larger.#rank;
    this.#merged = larger.#merged;
  }
}
