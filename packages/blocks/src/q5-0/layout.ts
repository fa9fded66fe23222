// Q5_0: 32 weights in 22 bytes. A weight is represented as x = d · (q − 16); effectively 5.5 bits per weight.
// Source: ggml-common.h block_q5_0.
//
//   0   d     F16
//   2   qh    32 bits, little-endian; bit j is the fifth bit of q[j]
//   6   qs    16 bytes; byte j holds the lower four bits of q[j] in its low and of q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 22;
export const QH_OFFSET = 2;
export const QS_OFFSET = 6;
