// What must happen to blocks and slots before the next batch is computed: copies, and transfers to the host and back. The
// scheduler decides at once and orders the moves as it decides, so each finds what was there at its time, though all run later.
import type { SequenceState } from '@quern/models';

/** Bytes that are on the host once the move that fetches them has run; moves ordered later may count on them. */
export interface HostCopy {
  bytes?: Uint8Array;
}

export class StateMoves {
  readonly #state: SequenceState;
  #queue: (() => void | Promise<void>)[] = [];

  constructor(state: SequenceState) {
    this.#state = state;
  }

  saveBlock(block: number, copy: HostCopy): void {
    this.#queue.push(async () => {
      copy.bytes = await this.#state.snapshot({ blocks: [block] });
    });
  }

  loadBlock(copy: HostCopy, block: number): void {
    this.#queue.push(() => this.#state.restore(copy.bytes!, { blocks: [block] }));
  }

  copyBlock(from: number, to: number): void {
    this.#queue.push(() => this.#state.copy({ blocks: [from] }, { blocks: [to] }));
  }

  saveSlot(slot: number, copy: HostCopy): void {
    this.#queue.push(async () => {
      copy.bytes = await this.#state.snapshot({ blocks: [], slot });
    });
  }

  loadSlot(copy: HostCopy, slot: number): void {
    this.#queue.push(() => this.#state.restore(copy.bytes!, { blocks: [], slot }));
  }

  copySlot(from: number, to: number): void {
    this.#queue.push(() => this.#state.copy({ blocks: [], slot: from }, { blocks: [], slot: to }));
  }

  /** Runs what has been ordered. What is ordered meanwhile waits for the next time. */
  async run(): Promise<void> {
    const queue = this.#queue;
    this.#queue = [];
    for (const move of queue) await move();
  }
}
