// Memory that rounded activations pass through, and rows of weights on their way to another order. It remembers whose
// activations it holds: matmuls that follow each other on one input round it once.

/** Rows of floats by where they are and how they were rounded. */
export interface RoundedRows {
  readonly address: number;
  readonly byteLength: number;
  readonly cols: number;
  readonly blockSize: number;
}

export class StagingMemory {
  readonly address: number;
  readonly byteLength: number;
  #held: RoundedRows | undefined;

  constructor(address: number, byteLength: number) {
    this.address = address;
    this.byteLength = byteLength;
  }

  holds({ address, byteLength, cols, blockSize }: RoundedRows): boolean {
    const held = this.#held;
    return (
      held?.address === address && held.byteLength === byteLength && held.cols === cols && held.blockSize === blockSize
    );
  }

  /** What is in this memory from now on. */
  hold(rows: RoundedRows | undefined): void {
    this.#held = rows;
  }

  /** Bytes of the device have changed: what was rounded from them is no longer theirs. */
  forget(address: number, byteLength: number): void {
    const held = this.#held;
    if (held && address < held.address + held.byteLength && held.address < address + byteLength) this.#held = undefined;
  }
}
