// MLX affine: codes of a row as one stream, lowest bits first (bit-codes.ts), a scale and an offset per group.
// Source: ml-explore/mlx mlx/backend/cpu/quantized.cpp, mlx/ops.cpp quantize.
//
//   weight   u32 [.., out, in · b / 32]
//   scales   f16, bf16 or f32 [.., out, in / g]
//   biases   like scales
//
//   w[o][i] = code · scales[o][⌊i / g⌋] + biases[o][⌊i / g⌋]

export const BITS: readonly number[] = [2, 3, 4, 5, 6, 8];
export const GROUP_SIZES: readonly number[] = [32, 64, 128];
