// IQ1_M: 256 weights in 56 bytes, as 16 sub-blocks of 16. A weight is represented as x = d · (2 sc + 1) · (q − 1 ± ⅛), where q
// is a code of a point of the 2048-point grid and the sign is one per eight weights; effectively 1.75 bits per weight.
// Source: ggml-common.h block_iq1_m.
//
//    0   qs      32 bytes, one per eight weights: lower 8 bits of the index of a point
//   32   qh      16 bytes, a nibble per eight weights, the first low: 3 upper bits of the index, then one bit that is set
//                where ⅛ is subtracted
//   48   scales  4 little-endian 16-bit numbers: 4 × 3 bits sc, the first sub-block lowest; the upper four bits of the four
//                numbers make up d (F16), the first number its lowest

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 56;
export const QH_OFFSET = 32;
export const SCALES_OFFSET = 48;
export const SUB_BLOCKS = 16;
