// IQ2_XS: 256 weights in 74 bytes, as 16 sub-blocks of 16. A weight is represented as x = ±d · (sc + ½)/4 · m, where m is 8,
// 25 or 43 (grids/magnitudes.ts) by the code of a point of the 512-point grid; effectively 2.3125 bits per weight.
// Source: ggml-common.h block_iq2_xs.
//
//    0   d       F16
//    2   qs      32 little-endian 16-bit numbers, one per eight weights: 9 bits index of a point, 7 bits of signs
//                (grids/signs.ts)
//   66   scales  8 bytes; byte j holds sc of sub-blocks 2j in its low and 2j + 1 in its high nibble

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 74;
export const QS_OFFSET = 2;
export const SCALES_OFFSET = 66;
export const SUB_BLOCKS = 16;
