// NVFP4: 64 weights in 36 bytes, as 4 sub-blocks of 16. A weight is represented as x = sc/2 · VALUES[q], with the VALUES of
// MXFP4; effectively 4.5 bits per weight. The scale of the whole tensor is a tensor of its own (`….scale`).
// Source: ggml-common.h block_nvfp4.
//
//   0   d    sc of the sub-blocks, UE4M3: F8_E4M3 without sign, NaN read as zero
//   4   qs   8 bytes per sub-block; byte j holds q[j] in its low and q[j + 8] in its high nibble

export const BLOCK_WEIGHTS = 64;
export const BLOCK_BYTES = 36;
export const QS_OFFSET = 4;
export const SUB_BLOCKS = 4;
export const SUB_WEIGHTS = 16;
