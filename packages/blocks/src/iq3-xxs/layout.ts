// IQ3_XXS: 256 weights in 98 bytes, as 8 sub-blocks of 32. A weight is represented as x = ±d · (sc + ½)/2 · m, where m is 4,
// 12, 20 … 52 or 62 (grids/magnitudes.ts) by the code of a point of the 256-point grid of four codes; effectively 3.0625
// bits per weight. Source: ggml-common.h block_iq3_xxs.
//
//    0   d      F16
//    2   qs     64 bytes, one per four weights: index of a point
//   66   words  8 little-endian words, one per sub-block: 4 × 7 bits of signs of eight weights (grids/signs.ts), the first
//               eight lowest, and sc above

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 98;
export const QS_OFFSET = 2;
export const WORDS_OFFSET = 66;
export const SUB_BLOCKS = 8;
