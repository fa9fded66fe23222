// TQ2_0: 256 weights in 66 bytes. A weight is represented as x = d · (q − 1) with q in 0 … 2; effectively 2.0625 bits per
// weight. Source: ggml-common.h block_tq2_0.
//
//    0   qs   64 bytes; byte m of the first (second) 32 holds the codes of weights m, m + 32, m + 64 and m + 96 of the first
//             (second) half, two bits each, the first lowest
//   64   d    F16

export const BLOCK_WEIGHTS = 256;
export const BLOCK_BYTES = 66;
export const D_OFFSET = 64;
