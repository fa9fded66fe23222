// Continuous batching: which tokens of which sequences the next batch computes.
//
// 1. Running sequences get the cache block that their next token needs. When none is available, the last in turn gives its
//    blocks and its slot back and waits again (its tokens and its random numbers are kept, and its blocks are kept as long as
//    nobody wants them). The first in turn therefore always finishes.
// 2. Waiting sequences are admitted in turn while there is a place, a slot for the state that does not grow, and room for all
//    their tokens and one more. One whose beginning another is just computing waits for that: nothing is computed twice.
// 3. The batch is divided among those that run (divide.ts), prompts within the tokens that the pace allows (pace.ts).
import type { KvCache } from '../cache/kv-cache.ts';
import { divide, type Share } from './divide.ts';
import type { Pace } from './pace.ts';
import type { Sequence } from './sequence.ts';
import { comesBefore, WaitingLine } from './waiting-line.ts';

export interface SchedulerLimits {
  readonly batchTokens: number;
  /** ≤ batchTokens, so that every running sequence can advance in every batch. */
  readonly maxSequences: number;
  /** Rows of logits of one batch; ≥ maxSequences. What is left over is for drafts. */
  readonly maxOutputs: number;
}

export class Scheduler {
  readonly #cache: KvCache;
  readonly #limits: SchedulerLimits;
  readonly #pace: Pace;
  readonly #waiting = new WaitingLine();
  /** In turn. */
  readonly #running: Sequence[] = [];
  /** Sequences that had to wait again. */
  preemptions = 0;

  constructor(cache: KvCache, limits: SchedulerLimits, pace: Pace) {
    this.#cache = cache;
    this.#limits = limits;
    this.#pace = pace;
  }

  get waiting(): readonly Sequence[] {
    return this.#waiting.all;
  }

  get running(): readonly Sequence[] {
    return this.#running;
  }

  enqueue(sequence: Sequence): void {
    this.#waiting.add(sequence);
  }

  /** Starts `branch` beside `sequence`, with its state; if there is no place, it waits like any other. */
  fork(sequence: Sequence, branch: Sequence): void {
    const hasPlace = this.#running.length < this.#limits.maxSequences;
    if (sequence.slot !== undefined && hasPlace && this.#cache.fork(sequence, branch)) this.#run(branch);
    else this.enqueue(branch);
  }

  /** Takes a sequence out; `end` says what becomes of what it computed. */
  remove(sequence: Sequence, end: 'release' | 'drop' | 'discard' = 'release'): void {
    this.#waiting.remove(sequence);
    const place = this.#running.indexOf(sequence);
    if (place >= 0) this.#running.splice(place, 1);
    this.#cache[end](sequence);
  }

  /** Running sequences that have one token to compute. */
  decoding(): Sequence[] {
    return this.#running.filter(({ pending }) => pending === 1);
  }

  /** The next batch; empty when nothing can run. */
  plan(): Share[] {
    this.#growRunning();
    this.#admitWaiting();
    const { batchTokens, maxOutputs } = this.#limits;
    const promptTokens = this.#pace.promptTokens(this.decoding().length);
    return divide(this.#running, { batchTokens, maxOutputs, promptTokens }, this.#cache);
  }

  #growRunning(): void {
    for (let i = 0; i < this.#running.length; i++) {
      const sequence = this.#running[i]!;
      this.#cache.publish(sequence);
      while (!this.#cache.grow(sequence)) if (this.#preemptLast() === sequence) return;
    }
  }

  #preemptLast(): Sequence {
    const last = this.#running.pop()!;
    this.preemptions++;
    this.#cache.release(last);
    this.#waiting.add(last);
    return last;
  }

  #admitWaiting(): void {
    for (const next of [...this.#waiting.all]) {
      if (this.#running.length >= this.#limits.maxSequences) return;
      if (this.#running.some((other) => this.#cache.isReading(other, next))) continue;
      if (!this.#cache.admit(next)) return;
      this.#waiting.remove(next);
      this.#run(next);
    }
  }

  #run(sequence: Sequence): void {
    let place = this.#running.length;
    while (place > 0 && comesBefore(sequence, this.#running[place - 1]!)) place--;
    this.#running.splice(place, 0, sequence);
  }
}
