// IQ4_NL: 32 weights in 18 bytes. A weight is represented as x = d · VALUES[q]; effectively 4.5 bits per weight.
// Source: ggml-common.h block_iq4_nl, kvalues_iq4nl.
//
//   0   d     F16
//   2   qs    16 bytes; byte j holds q[j] in its low and q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 18;
export const QS_OFFSET = 2;

/** What the codes stand for: levels that lie closer together near zero, where weights are frequent. */
export const VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;
