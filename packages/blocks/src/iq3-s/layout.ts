// IQ3_S: 256 weights in 110 bytes, as 8 sub-blocks of 32. A weight is represented as x = ±d · (2 sc + 1) · (2 q + 1), where q
// is a code of a point of the 512-point grid of four codes; effectively 3.4375 bits per weight.
// Source: ggml-common.h block_iq3_s.
//
//     0   d       F16
//     2   qs      64 bytes, one per four weights: lower 8 bits of the index of a point
//    66   qh      8 bytes; bit i of byte j is the ninth bit of index 8j + i
//    74   signs   32 bytes, one per eight weights, the first weight lowest
//   106   scales  4 bytes; byte j holds sc of sub-blocks 2j in its low and 2j + 1 in its high nibble

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 110;
export const QS_OFFSET = 2;
export const QH_OFFSET = 66;
export const SIGNS_OFFSET = 74;
export const SCALES_OFFSET = 106;
export const SUB_BLOCKS = 8;
