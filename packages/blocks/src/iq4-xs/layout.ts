// IQ4_XS: 256 weights in 136 bytes, as 8 sub-blocks of 32. A weight is represented as x = d · (sc − 32) · VALUES[q], with the
// VALUES of IQ4_NL; effectively 4.25 bits per weight. Source: ggml-common.h block_iq4_xs.
//
//   0   d         F16
//   2   scales_h  16 bits, little-endian; bits 2j, 2j + 1 are the upper two of sc of sub-block j
//   4   scales_l  4 bytes; byte j holds the lower four bits of sc of sub-blocks 2j (low nibble) and 2j + 1 (high nibble)
//   8   qs        16 bytes per sub-block; byte j holds q[j] in its low and q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 136;
export const SCALES_HIGH_OFFSET = 2;
export const SCALES_LOW_OFFSET = 4;
export const QS_OFFSET = 8;
export const SUB_BLOCKS = 8;
export const SUB_WEIGHTS = 32;
