// Q5_K: 256 weights in 176 bytes, as 8 sub-blocks of 32. A weight is represented as x = (d · sc) · q − (dmin · m), with
// the 6-bit sc and m per sub-block of Q4_K; effectively 5.5 bits per weight. Source: ggml-common.h block_q5_K.
//
//    0   d       F16, scale of the 6-bit scales
//    2   dmin    F16, scale of the 6-bit minima
//    4   scales  12 bytes: 8 × (sc, m), packed as in q4-k/layout.ts
//   16   qh      32 bytes; bit j of byte l is the fifth bit of weight l of sub-block j
//   48   qs      128 bytes; byte 32p + l holds the lower four bits of q[64p + l] in its low and of q[64p + 32 + l] in its
//                high nibble

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 176;
export const SUB_BLOCKS = 8;
export const SUB_WEIGHTS = 32;
export const SCALES_OFFSET = 4;
export const QH_OFFSET = 16;
export const QS_OFFSET = 48;
