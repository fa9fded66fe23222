// Tokens by falling logit, ties by rising id: a total order, so that sampling never depends on a sort's stability.
//
// Each token becomes one f64 that sorts ascending: (inverted order-preserving bits of its f32 logit) · 2²¹ + id, exact in
// 53 bits. A draw rarely looks beyond the first hundred of 150,000 tokens, so only as many are put in order as are asked for.
import { QuernError } from '@quern/errors';

const ID_RANGE = 2 ** 21;
const FIRST_TOKENS = 128;
const GROWTH = 8;

export class Ranking {
  /** How many tokens are ranked at most. */
  readonly count: number;
  readonly #logits: Float32Array;
  /** The first `#sorted` are the smallest, in order. */
  readonly #keys: Float64Array;
  #sorted = 0;

  /**
   * Ranks the `count` highest of `logits` (no NaN), which must not change while the ranking is in use.
   * @throws QuernError `vocabulary-too-large` beyond 2²¹ tokens
   */
  constructor(logits: Float32Array, count: number) {
    if (logits.length > ID_RANGE)
      throw new QuernError('vocabulary-too-large', `${logits.length} tokens; at most ${ID_RANGE} can be ranked.`);
    this.#logits = logits;
    this.count = Math.min(count, logits.length);
    this.#keys = sortKeys(logits);
  }

  /** The token of a rank, 0 the most likely; rank < count. */
  token(rank: number): number {
    while (rank >= this.#sorted) this.#sortMore();
    return this.#keys[rank] % ID_RANGE;
  }

  logit(rank: number): number {
    return this.#logits[this.token(rank)];
  }

  #sortMore(): void {
    const keys = this.#keys;
    const end = Math.min(keys.length, Math.max(FIRST_TOKENS, this.#sorted * GROWTH));
    if (end < keys.length) selectSmallest(keys, this.#sorted, end);
    keys.subarray(this.#sorted, end).sort();
    this.#sorted = end;
  }
}

function sortKeys(logits: Float32Array): Float64Array {
  const bits = new Int32Array(logits.buffer, logits.byteOffset, logits.length);
  const keys = new Float64Array(logits.length);
  for (let id = 0; id < keys.length; id++) {
    // The bits of positive floats rise with the value, those of negative floats fall with it; -0 counts as 0.
    const b = bits[id] === -(2 ** 31) ? 0 : bits[id];
    const falling = b < 0 ? b >>> 0 : 0x7fffffff - b;
    keys[id] = falling * ID_RANGE + id;
  }
  return keys;
}

/** Quickselect (Hoare) within keys[start…]: afterwards keys[start…end) are the smallest, in any order. No two are equal. */
function selectSmallest(keys: Float64Array, start: number, end: number): void {
  let low = start;
  let high = keys.length - 1;
  while (low < high) {
    const pivot = keys[(low + high) >>> 1];
    let i = low - 1;
    let j = high + 1;
    for (;;) {
      do i++;
      while (keys[i] < pivot);
      do j--;
      while (keys[j] > pivot);
      if (i >= j) break;
      const swapped = keys[i];
      keys[i] = keys[j];
      keys[j] = swapped;
    }
    if (j + 1 === end) return;
    if (j + 1 < end) low = j + 1;
    else high = j;
  }
}
