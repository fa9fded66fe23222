// The tokens that may still be chosen, with their logits: what the stages of a chain narrow down. The order counts: it
// decides which token a draw hits. Arithmetic is in f32, as in llama.cpp's `llama_token_data_array`.
import type { HighestLogits } from '@quern/models';
import { Ranking } from './ranking.ts';

let allIds = new Int32Array(0);

/** 0 … count - 1. */
function firstIds(count: number): Int32Array {
  if (allIds.length < count) {
    allIds = new Int32Array(count);
    for (let id = 0; id < count; id++) allIds[id] = id;
  }
  return allIds.subarray(0, count);
}

export class Candidates {
  /** Shared, never written in place. */
  ids: Int32Array;
  logits: Float32Array;
  /** Probabilities, after `softmax`; one for each candidate. */
  p: Float32Array;
  size: number;
  /** By falling logit. */
  sorted = false;
  /** All tokens, each at the place of its id. */
  #whole: boolean;

  /** `ids`: undefined for all tokens, in the order of their ids. `logits`, no NaN, is kept and overwritten. */
  private constructor(logits: Float32Array, ids?: Int32Array) {
    this.size = logits.length;
    this.logits = logits;
    this.ids = ids ?? firstIds(this.size);
    this.p = new Float32Array(this.size);
    this.#whole = ids === undefined;
  }

  /** All tokens, in the order of their ids. `logits` [vocab], no NaN, is kept and overwritten. */
  static all(logits: Float32Array): Candidates {
    return new Candidates(logits);
  }

  /** As `keepHighest` would leave them. */
  static highest({ tokens, logits }: HighestLogits): Candidates {
    const candidates = new Candidates(logits.slice(), tokens);
    candidates.sorted = true;
    return candidates;
  }

  /** Keeps the `count` highest, by falling logit; ties by their present order. */
  keepHighest(count: number): void {
    const kept = Math.min(count, this.size);
    if (!this.sorted) {
      const ranking = new Ranking(this.logits.subarray(0, this.size), kept);
      this.pick(Int32Array.from({ length: kept }, (_, rank) => ranking.token(rank)));
      this.sorted = true;
    }
    this.size = kept;
  }

  sort(): void {
    this.keepHighest(this.size);
  }

  /** Keeps the candidates at these places, in this order. */
  pick(places: Int32Array): void {
    const { ids, logits, p } = this;
    this.#whole = false;
    this.size = places.length;
    this.ids = new Int32Array(this.size);
    this.logits = new Float32Array(this.size);
    this.p = new Float32Array(this.size);
    for (let i = 0; i < this.size; i++) {
      this.ids[i] = ids[places[i]];
      this.logits[i] = logits[places[i]];
      this.p[i] = p[places[i]];
    }
  }

  /** Keeps those from `start` to before `end`. */
  slice(start: number, end: number): void {
    this.#whole = false;
    this.ids = this.ids.subarray(start, end);
    this.logits = this.logits.subarray(start, end);
    this.p = this.p.subarray(start, end);
    this.size = end - start;
  }

  /** Calls `visit` for each of these tokens that is among the candidates. */
  visit(tokens: ReadonlyMap<number, unknown>, visit: (place: number, token: number) => void): void {
    if (this.#whole) for (const token of tokens.keys()) visit(token, token);
    else for (let i = 0; i < this.size; i++) if (tokens.has(this.ids[i])) visit(i, this.ids[i]);
  }

  /** Place of the highest logit, the first on a tie. */
  highest(): number {
    if (this.sorted) return 0;
    let best = 0;
    for (let i = 1; i < this.size; i++) if (this.logits[i] > this.logits[best]) best = i;
    return best;
  }

  /** Fills `p`; the sum that divides them is in f32. */
  softmax(): void {
    const { p, size } = this;
    this.weights();
    let sum = 0;
    for (let i = 0; i < size; i++) sum = Math.fround(sum + p[i]);
    for (let i = 0; i < size; i++) p[i] /= sum;
  }

  /** Fills `p` with e^(logit - highest); returns their sum in f64. */
  weights(): number {
    const { logits, p, size } = this;
    const highest = logits[this.highest()];
    let sum = 0;
    for (let i = 0; i < size; i++) {
      p[i] = Math.exp(Math.fround(logits[i] - highest));
      sum += p[i];
    }
    return sum;
  }
}
