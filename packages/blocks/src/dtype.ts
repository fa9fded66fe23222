// THE table of what a stored number can be. Sizes are those of ggml.h / ggml-common.h (`block_*` structs); a dtype
// without a codec can be listed, sized and copied, not decoded.

/** One way to store numbers: `blockSize` weights in `typeSize` bytes. */
export interface DType {
  /** Upstream name: `Q4_K`, `F32`, `F8_E4M3`. */
  readonly name: string;
  /** `enum ggml_type`, or undefined when GGUF has no such type. */
  readonly ggmlId?: number;
  /** The `dtype` string of safetensors, or undefined. */
  readonly safetensorsName?: string;
  /** Weights per block (1 for plain numbers). */
  readonly blockSize: number;
  /** Bytes per block. */
  readonly typeSize: number;
}

const plain = (name: string, typeSize: number, ids: { ggmlId?: number; safetensorsName?: string }): DType => ({
  name,
  blockSize: 1,
  typeSize,
  ...ids,
});
const block = (name: string, ggmlId: number, blockSize: number, typeSize: number): DType => ({
  name,
  ggmlId,
  blockSize,
  typeSize,
});

export const dtypes: readonly DType[] = [
  plain('F64', 8, { ggmlId: 28, safetensorsName: 'F64' }),
  plain('F32', 4, { ggmlId: 0, safetensorsName: 'F32' }),
  plain('F16', 2, { ggmlId: 1, safetensorsName: 'F16' }),
  plain('BF16', 2, { ggmlId: 30, safetensorsName: 'BF16' }),
  plain('I64', 8, { ggmlId: 27, safetensorsName: 'I64' }),
  plain('I32', 4, { ggmlId: 26, safetensorsName: 'I32' }),
  plain('I16', 2, { ggmlId: 25, safetensorsName: 'I16' }),
  plain('I8', 1, { ggmlId: 24, safetensorsName: 'I8' }),
  plain('U64', 8, { safetensorsName: 'U64' }),
  plain('U32', 4, { safetensorsName: 'U32' }),
  plain('U16', 2, { safetensorsName: 'U16' }),
  plain('U8', 1, { safetensorsName: 'U8' }),
  plain('BOOL', 1, { safetensorsName: 'BOOL' }),
  plain('F8_E4M3', 1, { safetensorsName: 'F8_E4M3' }),
  plain('F8_E5M2', 1, { safetensorsName: 'F8_E5M2' }),
  block('Q4_0', 2, 32, 18),
  block('Q4_1', 3, 32, 20),
  block('Q5_0', 6, 32, 22),
  block('Q5_1', 7, 32, 24),
  block('Q8_0', 8, 32, 34),
  block('Q8_1', 9, 32, 36),
  block('Q2_K', 10, 256, 84),
  block('Q3_K', 11, 256, 110),
  block('Q4_K', 12, 256, 144),
  block('Q5_K', 13, 256, 176),
  block('Q6_K', 14, 256, 210),
  block('Q8_K', 15, 256, 292),
];
