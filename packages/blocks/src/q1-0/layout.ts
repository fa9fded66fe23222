// Q1_0: 128 weights in 18 bytes. A weight is represented as x = d or x = −d; effectively 1.125 bits per weight. Made for
// models that were trained with weights of one bit. Source: ggml-common.h block_q1_0.
//
//    0   d    F16
//    2   qs   16 bytes; bit n of byte m is weight 8m + n: 1 is d, 0 is −d

export const BLOCK_WEIGHTS = 128;
export const BLOCK_BYTES = 18;
export const QS_OFFSET = 2;
