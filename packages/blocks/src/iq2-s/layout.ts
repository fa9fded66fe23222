// IQ2_S: 256 weights in 82 bytes, as 16 sub-blocks of 16. A weight is represented as x = ±d · (sc + ½)/4 · m, where m is 8,
// 25 or 43 (grids/magnitudes.ts) by the code of a point of the 1024-point grid; effectively 2.5625 bits per weight.
// Source: ggml-common.h block_iq2_s.
//
//    0   d       F16
//    2   qs      32 bytes, one per eight weights: lower 8 bits of the index of a point
//   34   signs   32 bytes, one per eight weights, the first weight lowest
//   66   qh      8 bytes; byte j holds the upper two bits of indices 4j … 4j + 3, the first lowest
//   74   scales  8 bytes; byte j holds sc of sub-blocks 2j in its low and 2j + 1 in its high nibble

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 82;
export const QS_OFFSET = 2;
export const SIGNS_OFFSET = 34;
export const QH_OFFSET = 66;
export const SCALES_OFFSET = 74;
export const SUB_BLOCKS = 16;
