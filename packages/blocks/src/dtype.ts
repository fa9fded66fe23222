// THE table of what a stored number can be. Sizes are those of ggml.h / ggml-common.h (`block_*` structs) and of the
// safetensors format; a dtype without a codec (codecs.ts) can be listed, sized and copied, not decoded.
import { QuernError } from '@quern/errors';

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
/** Narrower than a byte: safetensors packs `blockSize` numbers into `typeSize` bytes. */
const packed = (name: string, blockSize: number, typeSize: number): DType => ({
  name,
  safetensorsName: name,
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
  plain('C64', 8, { safetensorsName: 'C64' }), // complex: two F32
  plain('F8_E4M3', 1, { safetensorsName: 'F8_E4M3' }),
  plain('F8_E5M2', 1, { safetensorsName: 'F8_E5M2' }),
  plain('F8_E8M0', 1, { safetensorsName: 'F8_E8M0' }),
  plain('F8_E4M3FNUZ', 1, { safetensorsName: 'F8_E4M3FNUZ' }),
  plain('F8_E5M2FNUZ', 1, { safetensorsName: 'F8_E5M2FNUZ' }),
  packed('F6_E2M3', 4, 3),
  packed('F6_E3M2', 4, 3),
  packed('F4', 2, 1),
  block('Q1_0', 41, 128, 18),
  block('Q2_0', 42, 64, 18),
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
  block('IQ1_S', 19, 256, 50),
  block('IQ1_M', 29, 256, 56),
  block('IQ2_XXS', 16, 256, 66),
  block('IQ2_XS', 17, 256, 74),
  block('IQ2_S', 22, 256, 82),
  block('IQ3_XXS', 18, 256, 98),
  block('IQ3_S', 21, 256, 110),
  block('IQ4_NL', 20, 32, 18),
  block('IQ4_XS', 23, 256, 136),
  block('TQ1_0', 34, 256, 54),
  block('TQ2_0', 35, 256, 66),
  block('MXFP4', 39, 32, 17),
  block('NVFP4', 40, 64, 36),
];

const byName = new Map(dtypes.map((dtype) => [dtype.name, dtype]));
const byGgmlId = new Map(dtypes.map((dtype) => [dtype.ggmlId, dtype]));
const bySafetensorsName = new Map(dtypes.map((dtype) => [dtype.safetensorsName, dtype]));

/** The dtype called `name`. @throws QuernError `dtype-unknown` */
export function dtypeByName(name: string): DType {
  const dtype = byName.get(name);
  if (dtype) return dtype;
  throw new QuernError('dtype-unknown', `There is no number type called ${JSON.stringify(name)}.`, {
    remedy: `Use one of ${[...byName.keys()].join(', ')}.`,
  });
}

/** The dtype GGUF stores under this `ggml_type` number, or undefined: the caller knows the file and tensor to blame. */
export const dtypeByGgmlId = (id: number): DType | undefined => byGgmlId.get(id);

/** The dtype safetensors calls `name`, or undefined: the caller knows the file and tensor to blame. */
export const dtypeBySafetensorsName = (name: string): DType | undefined => bySafetensorsName.get(name);

/**
 * Bytes of one row of `cols` weights.
 * @throws QuernError `row-not-whole-blocks` when `cols` is no multiple of the block size, `row-too-long` beyond 2^53 bytes
 */
export function rowBytes(dtype: DType, cols: number): number {
  if (!Number.isSafeInteger(cols) || cols < 0 || cols % dtype.blockSize !== 0) {
    throw new QuernError(
      'row-not-whole-blocks',
      `A row of ${cols} weights cannot be stored as ${dtype.name}, whose blocks hold ${dtype.blockSize}.`,
      { remedy: 'Choose a type with a smaller block for this tensor.' },
    );
  }
  const bytes = (cols / dtype.blockSize) * dtype.typeSize;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new QuernError('row-too-long', `A row of ${cols} ${dtype.name} weights is longer than a file can be.`);
}

/** Stored bits per weight, scales included: 4.5 for Q4_K. */
export const bitsPerWeight = (dtype: DType): number => (dtype.typeSize * 8) / dtype.blockSize;
