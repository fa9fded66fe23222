// Q2_0: 64 weights in 18 bytes. A weight is represented as x = d · (q − 1) with q in 0 … 3; effectively 2.25 bits per weight.
// Made for models that were trained with weights of −1, 0 and 1: an encoder never writes q = 3. Source: ggml-common.h
// block_q2_0.
//
//    0   d    F16
//    2   qs   16 bytes; byte m holds the codes of weights 4m … 4m + 3, two bits each, the first lowest

export const BLOCK_WEIGHTS = 64;
export const BLOCK_BYTES = 18;
export const QS_OFFSET = 2;
