// Q4_0: 32 weights in 18 bytes. A weight is represented as x = d · (q − 8); effectively 4.5 bits per weight.
// Source: ggml-common.h block_q4_0.
//
//   0   d     F16
//   2   qs    16 bytes; byte j holds q[j] in its low and q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 18;
export const QS_OFFSET = 2;
