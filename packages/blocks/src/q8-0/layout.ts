// Q8_0: 32 weights in 34 bytes. A weight is represented as x = d · q; effectively 8.5 bits per weight.
// Source: ggml-common.h block_q8_0.
//
//   0   d     F16
//   2   qs    32 signed bytes

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 34;
export const QS_OFFSET = 2;
