// Byte pair merging of one word: again and again the most urgent pair of neighbours becomes one symbol, the leftmost of
// equals first. A linked list of symbols and a heap of candidate pairs keep a word of n symbols at O(n log n), so a
// megabyte without a space is no attack. BPE and SentencePiece differ only in the table's ranks.

import type { MergeTable } from './merge-table.ts';

/** Rank and position of a candidate in one number, so that the heap compares numbers: rank · 2^30 + position. */
const positions = 2 ** 30;

/** Longest word in symbols, from the packing of positions. */
export const maxWordSymbols = positions;

export class Merger {
  readonly #table: MergeTable;
  #heap = new Float64Array(64);
  #heapSize = 0;
  #next = new Int32Array(64);
  #previous = new Int32Array(64);

  constructor(table: MergeTable) {
    this.#table = table;
  }

  /** Merges `symbols[0..count)` in place and returns how many symbols are left at its start. */
  merge(symbols: Int32Array, count: number): number {
    if (count < 2) return count;
    if (this.#next.length < count) {
      this.#next = new Int32Array(count * 2);
      this.#previous = new Int32Array(count * 2);
    }
    const table = this.#table;
    const next = this.#next;
    const previous = this.#previous;
    this.#heapSize = 0;
    for (let i = 0; i < count; i++) {
      next[i] = i + 1 < count ? i + 1 : -1;
      previous[i] = i - 1;
    }
    for (let i = 0; i + 1 < count; i++) this.#propose(symbols, i, i + 1);

    while (this.#heapSize > 0) {
      const candidate = this.#pop();
      const left = candidate % positions;
      const right = next[left] as number;
      // A candidate is stale when its symbols have merged with others since; then the pair at its place, if any, has
      // another rank (or is as urgent, and then due now just as well).
      if (symbols[left] === -1 || right === -1) continue;
      const slot = table.find(symbols[left] as number, symbols[right] as number);
      if (slot === -1 || table.rank(slot) !== Math.floor(candidate / positions)) continue;

      symbols[left] = table.merged(slot);
      symbols[right] = -1;
      const after = next[right] as number;
      next[left] = after;
      if (after !== -1) {
        previous[after] = left;
        this.#propose(symbols, left, after);
      }
      const before = previous[left] as number;
      if (before !== -1) this.#propose(symbols, before, left);
    }

    let kept = 0;
    for (let i = 0; i !== -1; i = next[i] as number) symbols[kept++] = symbols[i] as number;
    return kept;
  }

  #propose(symbols: Int32Array, left: number, right: number): void {
    const slot = this.#table.find(symbols[left] as number, symbols[right] as number);
    if (slot !== -1) this.#push(this.#table.rank(slot) * positions + left);
  }

  #push(candidate: number): void {
    if (this.#heapSize === this.#heap.length) {
      const larger = new Float64Array(this.#heap.length * 2);
      larger.set(this.#heap);
      this.#heap = larger;
    }
    const heap = this.#heap;
    let at = this.#heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as number) <= candidate) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = candidate;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0] as number;
    const last = heap[--this.#heapSize] as number;
    const size = this.#heapSize;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= last) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
