// A memory of sequences whose contents can be checked: a cell of a block holds a hash of the text up to its position, a slot that
// of the text so far. What a model computes from a state is a function of these, so whoever reads a wrong cell is found out.
import type { SequencePlace, SequenceState } from '@quern/models';

const start = 17;
const extend = (hash: number, token: number): number => (Math.imul(hash ^ (token + 1), 0x01000193) + 0x9e37) | 0;

export const hashOf = (tokens: readonly number[], count = tokens.length): number => {
  let hash = start;
  for (let i = 0; i < count; i++) hash = extend(hash, tokens[i]!);
  return hash;
};

/** What a batch says of a sequence. */
export interface Computation {
  readonly tokens: readonly number[];
  readonly blocks: readonly number[];
  readonly slot: number;
  readonly first: number;
  readonly end: number;
}

export class HashMemory implements SequenceState {
  readonly usesSlots: boolean;
  /** Tokens cannot be taken back out of the slot. */
  get rewinds(): boolean {
    return !this.usesSlots;
  }
  readonly #blockTokens: number;
  readonly #cells: Int32Array;
  readonly #slots: Int32Array;

  constructor({
    blocks,
    blockTokens,
    slots,
    usesSlots,
  }: Record<'blocks' | 'blockTokens' | 'slots', number> & { usesSlots: boolean }) {
    this.usesSlots = usesSlots;
    this.#blockTokens = blockTokens;
    this.#cells = new Int32Array(blocks * blockTokens).fill(-1);
    this.#slots = new Int32Array(slots).fill(-1);
  }

  snapshotBytes(blocks: number, withSlot: boolean): number {
    return 4 * blocks * this.#blockTokens + (this.usesSlots && withSlot ? 4 : 0);
  }

  async snapshot({ blocks, slot }: SequencePlace): Promise<Uint8Array> {
    const cells = blocks.flatMap((block) => [...this.#block(block)]);
    if (this.usesSlots && slot !== undefined) cells.push(this.#slots[slot]!);
    return new Uint8Array(Int32Array.from(cells).buffer);
  }

  restore(snapshot: Uint8Array, { blocks, slot }: SequencePlace): void {
    const cells = new Int32Array(snapshot.buffer, snapshot.byteOffset, snapshot.length / 4);
    for (const [i, block] of blocks.entries())
      this.#block(block).set(cells.subarray(i * this.#blockTokens, (i + 1) * this.#blockTokens));
    if (this.usesSlots && slot !== undefined) this.#slots[slot] = cells.at(-1)!;
  }

  async copy(from: SequencePlace, to: SequencePlace): Promise<void> {
    this.restore(await this.snapshot(from), to);
  }

  /** Computes positions `first` … `end - 1`, after looking at all that they build on. @throws Error naming a wrong position */
  compute({ tokens, blocks, slot, first, end }: Computation): void {
    let hash = start;
    for (let p = 0; p < end; p++) {
      if (p === first && this.usesSlots && first > 0 && this.#slots[slot] !== hash)
        throw new Error(`slot ${slot} does not hold the state after ${first} tokens`);
      hash = extend(hash, tokens[p]!);
      const at = blocks[Math.floor(p / this.#blockTokens)]! * this.#blockTokens + (p % this.#blockTokens);
      if (p >= first) this.#cells[at] = hash;
      else if (this.#cells[at] !== hash) throw new Error(`position ${p} of ${first} holds something else`);
    }
    this.#slots[slot] = hash;
  }

  #block(block: number): Int32Array {
    return this.#cells.subarray(block * this.#blockTokens, (block + 1) * this.#blockTokens);
  }
}
