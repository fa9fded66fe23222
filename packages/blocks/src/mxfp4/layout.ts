// MXFP4: 32 weights in 17 bytes. A weight is represented as x = 2^(e − 128) · VALUES[q]; effectively 4.25 bits per weight.
// Source: ggml-common.h block_mxfp4, kvalues_fp4; OCP Microscaling Formats (MX) v1.0.
//
//   0   e    the scale, F8_E8M0
//   1   qs   16 bytes; byte j holds q[j] in its low and q[j + 16] in its high nibble

export const BLOCK_WEIGHTS = 32;
export const BLOCK_BYTES = 17;
export const QS_OFFSET = 1;

/** The sixteen numbers of FP4 (E2M1), doubled; NVFP4 has them too. Code 8, minus zero, is read as zero and never written. */
export const VALUES = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;

/** 2^(e − 128): half the F8_E8M0 scale, since VALUES are doubled. */
export const halfScale = (e: number): number => 2 ** (e - 128);
