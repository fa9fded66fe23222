// What two neighbouring symbols become, and how urgent that is. Pairs are looked up in the vocabulary when they first come
// up and kept in a hash table of flat arrays: listing all of them beforehand took most of the time of loading, and a text
// needs few.

/** Others for each process: nobody can write a vocabulary whose pairs all fall together. */
const oddNumber = (): number => (Math.random() * 2 ** 30) | 0 | 0x40000001;
const [leftFactor, rightFactor] = [oddNumber(), oddNumber()];

/** Symbols are token ids; ids from the vocabulary's size on are texts that are no token (unknown characters). */
export interface Merge {
  /** Lower ranks merge first. From 0 on. */
  readonly rank: number;
  readonly merged: number;
}

/** Undefined: the two do not merge. */
export type MergeOf = (left: number, right: number) => Merge | undefined;

const noMerge: Merge = { rank: -1, merged: -1 };
/** Most pairs that are kept, some 30 MB: a text may have any number. */
const maxPairs = 1 << 20;

export class MergeTable {
  readonly #mergeOf: MergeOf;
  #mask = 0;
  #left = new Int32Array(0);
  #right = new Int32Array(0);
  #rank = new Int32Array(0);
  #merged = new Int32Array(0);
  #size = 0;

  constructor(mergeOf: MergeOf) {
    this.#mergeOf = mergeOf;
    this.forget();
  }

  /** The slot of a pair, or -1 when the two do not merge. The slot is good until the next pair is looked for. */
  find(left: number, right: number): number {
    let slot = this.#slotOf(left, right);
    if (this.#left[slot] === -1) slot = this.#add(left, right, this.#mergeOf(left, right) ?? noMerge);
    return this.#rank[slot] === -1 ? -1 : slot;
  }

  rank(slot: number): number {
    return this.#rank[slot] as number;
  }

  merged(slot: number): number {
    return this.#merged[slot] as number;
  }

  /** Needed when symbols get other texts. */
  forget(): void {
    this.#allocate(1 << 12);
  }

  #allocate(capacity: number): void {
    this.#mask = capacity - 1;
    this.#left = new Int32Array(capacity).fill(-1);
    this.#right = new Int32Array(capacity);
    this.#rank = new Int32Array(capacity);
    this.#merged = new Int32Array(capacity);
    this.#size = 0;
  }

  #add(left: number, right: number, { rank, merged }: Merge): number {
    if (this.#size >= maxPairs) this.forget();
    else if (this.#size * 2 > this.#mask) this.#grow();
    const slot = this.#slotOf(left, right);
    this.#left[slot] = left;
    this.#right[slot] = right;
    this.#rank[slot] = rank;
    this.#merged[slot] = merged;
    this.#size++;
    return slot;
  }

  #slotOf(left: number, right: number): number {
    const mask = this.#mask;
    let hash = Math.imul(left, leftFactor) ^ Math.imul(right, rightFactor);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (this.#left[slot] !== -1 && (this.#left[slot] !== left || this.#right[slot] !== right)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [lefts, rights, ranks, mergeds] = [this.#left, this.#right, this.#rank, this.#merged];
    this.#allocate(lefts.length * 2);
    for (const [slot, left] of lefts.entries()) {
      if (left === -1) continue;
      this.#add(left, rights[slot] as number, { rank: ranks[slot] as number, merged: mergeds[slot] as number });
    }
  }
}
