// Q5_1: 32 weights in 24 bytes. A weight is represented as x = d · q + m; effectively 6 bits per weight.
// Source: ggml-common.h block_q5_1.
//
//   0   d     F16
//   2   m     F16, the smallest weight
//   4   qh    32 bits, little-endian; bit j is the fifth bit of q[j]
//   8   qs    16 bytes; byte j holds the lower four bits of q[j] in its low and of q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 24;
export const M_OFFSET = 2;
export const QH_OFFSET = 4;
export const QS_OFFSET = 8;
