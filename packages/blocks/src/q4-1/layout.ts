// Q4_1: 32 weights in 20 bytes. A weight is represented as x = d · q + m; effectively 5 bits per weight.
// Source: ggml-common.h block_q4_1.
//
//   0   d     F16
//   2   m     F16, the smallest weight
//   4   qs    16 bytes; byte j holds q[j] in its low and q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 20;
export const M_OFFSET = 2;
export const QS_OFFSET = 4;
