// TQ1_0: 256 weights in 54 bytes. A weight is represented as x = d · (q − 1) with q in 0 … 2; effectively 1.6875 bits per
// weight. Source: ggml-common.h block_tq1_0.
//
//    0   qs   48 bytes of five codes each. Byte m < 32 holds the codes of weights m, m + 32 … m + 128; byte 32 + m those of
//             weights 160 + m, 176 + m … 224 + m
//   48   qh   4 bytes of four codes each: byte m holds those of weights 240 + m, 244 + m, 248 + m, 252 + m
//   52   d    F16
//
// Five codes as digits of base 3, the first one highest, are a number n below 243; the byte is n · 256 / 243, rounded up. So
// the first code is (byte · 3) >> 8, and byte · 3 modulo 256 holds the others. A byte of four codes has a fifth, 0.

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 54;
export const D_OFFSET = 52;

/** The runs of bytes: where they lie, how many codes each byte holds, and the first weight. */
export const RUNS = [
  { offset: 0, bytes: 32, codes: 5, firstWeight: 0 },
  { offset: 32, bytes: 16, codes: 5, firstWeight: 160 },
  { offset: 48, bytes: 4, codes: 4, firstWeight: 240 },
] as const;
