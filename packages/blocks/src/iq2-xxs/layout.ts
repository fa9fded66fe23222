// IQ2_XXS: 256 weights in 66 bytes, as 8 sub-blocks of 32. A weight is represented as x = ±d · (sc + ½)/4 · m, where m is 8,
// 25 or 43 (grids/magnitudes.ts) by the code of a point of the 256-point grid; effectively 2.0625 bits per weight.
// Source: ggml-common.h block_iq2_xxs.
//
//   0   d     F16
//   2   qs    8 bytes per sub-block: 4 indices of a point, one byte each, for eight weights each;
//             then a little-endian word of 4 × 7 bits of signs (grids/signs.ts), the first eight weights lowest, and sc above

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 66;
export const QS_OFFSET = 2;
export const SUB_BLOCKS = 8;
