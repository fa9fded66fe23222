// Rounding to −1, 0 and 1 for TQ1_0 and TQ2_0: the largest magnitude of a block is its scale.
import { roundHalfAway } from '../rounding.ts';

const { fround } = Math;

export interface TernaryBlock {
  /** d of the layouts. */
  scale: number;
  /** 0 … 2 of every weight. */
  codes: Uint8Array;
}

/** Arithmetic of ggml-quants.c quantize_row_tq2_0_ref. Where 1/d is infinite, C's lroundf of what is not finite gives 0. */
export function toTernary(x: Float32Array): TernaryBlock {
  const scale = x.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const inverse = scale ? fround(1 / scale) : 0;
  const code = (value: number) => {
    const scaled = fround(value * inverse);
    return Number.isFinite(scaled) ? roundHalfAway(scaled) + 1 : 1;
  };
  return { scale, codes: Uint8Array.from(x, code) };
}
