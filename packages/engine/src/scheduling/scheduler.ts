// Continuous batching: which tokens of which sequences the next batch computes.
//
// 1. Running sequences get the cache block that their next token needs. When none is free, the youngest sequence gives
//    all its blocks and its slot back and returns to the head of the queue, where it waits to be computed again (its tokens and its
//    random numbers are kept). The oldest sequence therefore always finishes.
// 2. Waiting sequences are admitted in order of arrival while there is a place, a slot for the state that does not grow, and
//    room for all their tokens and one more.
// 3. Every decoding sequence computes its one token; the room left in the batch is divided evenly over the sequences that
//    are still reading their prompts, so that a short prompt need not wait for a long one. Drafts get what is left then, of
//    tokens, rows of logits and blocks: nobody waits for a guess.
import { BlockAllocator } from './block-allocator.ts';
import type { Sequence } from './sequence.ts';

export interface SchedulerLimits {
  readonly batchTokens: number;
  /** ≤ batchTokens, so that every running sequence can advance in every batch. */
  readonly maxSequences: number;
  /** Rows of logits of one batch; ≥ maxSequences. What is left over is for drafts. */
  readonly maxOutputs: number;
  readonly blockTokens: number;
  /** Sequences that can have a state of fixed size at a time. */
  readonly slots: number;
}

/** The next `count` tokens of a sequence, and so many of its drafts behind them. */
export interface Share {
  readonly sequence: Sequence;
  readonly count: number;
  readonly drafts: number;
}

export class Scheduler {
  readonly #allocator: BlockAllocator;
  readonly #limits: SchedulerLimits;
  readonly #slots: BlockAllocator;
  /** By arrival. */
  readonly #waiting: Sequence[] = [];
  /** Oldest first. */
  readonly #running: Sequence[] = [];

  constructor(allocator: BlockAllocator, limits: SchedulerLimits) {
    this.#allocator = allocator;
    this.#limits = limits;
    this.#slots = new BlockAllocator(limits.slots);
  }

  get waiting(): readonly Sequence[] {
    return this.#waiting;
  }

  get running(): readonly Sequence[] {
    return this.#running;
  }

  enqueue(sequence: Sequence): void {
    this.#waiting.push(sequence);
  }

  /** Takes a sequence out and frees its blocks and its slot. */
  remove(sequence: Sequence): void {
    for (const list of [this.#waiting, this.#running]) {
      const index = list.indexOf(sequence);
      if (index >= 0) list.splice(index, 1);
    }
    this.#release(sequence);
  }

  /** Running sequences that have one token to compute. */
  decoding(): Sequence[] {
    return this.#running.filter(({ pending }) => pending === 1);
  }

  /** The next batch; empty when nothing can run. */
  plan(): Share[] {
    this.#growRunning();
    this.#admitWaiting();
    return this.#divide();
  }

  #growRunning(): void {
    for (let i = 0; i < this.#running.length; i++) {
      const sequence = this.#running[i];
      while (sequence.blocks.length < this.#blocksFor(sequence.tokens.length)) {
        const block = this.#allocator.take(1);
        if (block) sequence.blocks.push(...block);
        else if (this.#preemptYoungest() === sequence) return;
      }
    }
  }

  #preemptYoungest(): Sequence {
    const youngest = this.#running.pop()!;
    this.#release(youngest);
    this.#waiting.unshift(youngest);
    return youngest;
  }

  #admitWaiting(): void {
    while (this.#waiting.length > 0 && this.#running.length < this.#limits.maxSequences) {
      const [next] = this.#waiting;
      const blocks = this.#allocator.take(this.#blocksFor(Math.min(next.tokens.length + 1, next.endTokens)));
      if (!blocks) return;
      const slot = this.#slots.take(1)?.[0];
      if (slot === undefined) {
        this.#allocator.giveBack(blocks);
        return;
      }
      next.blocks = blocks;
      next.slot = slot;
      next.markAdmitted();
      this.#waiting.shift();
      this.#running.push(next);
    }
  }

  #divide(): Share[] {
    let room = this.#limits.batchTokens;
    const counts = new Map<Sequence, number>();
    // Shortest first: what a short prompt leaves of its even share goes to the longer ones.
    const byPending = [...this.#running].sort((a, b) => a.pending - b.pending);
    for (const [i, sequence] of byPending.entries()) {
      const count = Math.min(sequence.pending, Math.floor(room / (byPending.length - i)));
      counts.set(sequence, count);
      room -= count;
    }
    let rows = this.#limits.maxOutputs - byPending.length;
    return byPending.map((sequence) => {
      const count = counts.get(sequence)!;
      const drafts = count < sequence.pending ? 0 : this.#draftsOf(sequence, Math.min(room, rows));
      room -= drafts;
      rows -= drafts;
      return { sequence, count, drafts };
    });
  }

  /** How many drafts are computed: none behind the sequence's end, and only what free blocks hold. */
  #draftsOf(sequence: Sequence, most: number): number {
    const { tokens, blocks, drafts, endTokens } = sequence;
    const wanted = Math.min(drafts.length, most, endTokens - 1 - tokens.length);
    if (wanted <= 0) return 0;
    const more = this.#blocksFor(tokens.length + wanted) - blocks.length;
    blocks.push(...(this.#allocator.take(Math.max(0, Math.min(more, this.#allocator.free))) ?? []));
    return Math.min(wanted, blocks.length * this.#limits.blockTokens - tokens.length);
  }

  #release(sequence: Sequence): void {
    this.#allocator.giveBack(sequence.blocks);
    sequence.blocks = [];
    if (sequence.slot !== undefined) this.#slots.giveBack([sequence.slot]);
    sequence.slot = undefined;
    sequence.computed = 0;
  }

  #blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.#limits.blockTokens);
  }
}
