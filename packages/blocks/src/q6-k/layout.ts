// Q6_K: 256 weights in 210 bytes, as 16 sub-blocks of 16. A weight is represented as x = (d · sc) · (q − 32), with a
// signed 8-bit sc per sub-block; effectively 6.5625 bits per weight. Source: ggml-common.h block_q6_K.
//
//     0   ql      128 bytes, lower 4 bits of q
//   128   qh      64 bytes, upper 2 bits of q
//   192   scales  16 signed bytes
//   208   d       F16
//
// Each half h of the block (128 weights) has 64 bytes of ql and 32 of qh. For l < 32 its weights l, l + 32, l + 64 and
// l + 96 lie in: ql[l] low, ql[l + 32] low, ql[l] high, ql[l + 32] high nibble; qh[l] bits 0–1, 2–3, 4–5, 6–7.

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 210;
export const SUB_BLOCKS = 16;
export const SUB_WEIGHTS = 16;
export const QH_OFFSET = 128;
export const SCALES_OFFSET = 192;
export const D_OFFSET = 208;
