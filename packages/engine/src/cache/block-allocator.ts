// Hands out the blocks of the paged KV cache: a block holds `blockTokens` positions of one sequence. Slots, which hold the
// state of a sequence that does not grow, are handed out likewise.

export class BlockAllocator {
  readonly #free: number[];

  constructor(blocks: number) {
    // The lowest number is on top, so that small loads stay in one corner of the cache.
    this.#free = Array.from({ length: blocks }, (_, i) => blocks - 1 - i);
  }

  get free(): number {
    return this.#free.length;
  }

  /** `count` blocks, or undefined (and none taken) when fewer are free. */
  take(count: number): number[] | undefined {
    if (count > this.#free.length) return undefined;
    return this.#free.splice(this.#free.length - count, count).reverse();
  }

  giveBack(blocks: readonly number[]): void {
    for (let i = blocks.length - 1; i >= 0; i--) this.#free.push(blocks[i]);
  }
}
