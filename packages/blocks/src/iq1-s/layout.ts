// IQ1_S: 256 weights in 50 bytes, as 8 sub-blocks of 32. A weight is represented as x = d · (2 sc + 1) · (q − 1 ± ⅛), where q is
// a code of a point of the 2048-point grid and the sign is one per sub-block; effectively 1.5625 bits per weight.
// Source: ggml-common.h block_iq1_s.
//
//    0   d     F16
//    2   qs    32 bytes, one per eight weights: lower 8 bits of the index of a point
//   34   qh    8 little-endian 16-bit numbers, one per sub-block: 4 × 3 upper bits of its indices, the first lowest; then
//              3 bits sc; then one bit that is set where ⅛ is subtracted

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 50;
export const QS_OFFSET = 2;
export const QH_OFFSET = 34;
export const SUB_BLOCKS = 8;
export const DELTA = 0.125;
