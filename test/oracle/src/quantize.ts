// Native quantization: ggml_quantize_chunk for rows, llama_model_quantize for files.
import { existsSync } from 'node:fs';
import { keepAlive, libraries } from './library.ts';
import { GGML_TYPE_COUNT, structs } from './structs.ts';

// Arrays are passed as `void *`: koffi then hands over their own memory, where `float *` would be copied.

/** `enum ggml_type` of the types tests quantize to. */
export const ggmlTypes = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  IQ2_XXS: 16,
  IQ2_XS: 17,
  IQ3_XXS: 18,
  IQ1_S: 19,
  IQ4_NL: 20,
  IQ3_S: 21,
  IQ2_S: 22,
  IQ4_XS: 23,
  IQ1_M: 29,
  BF16: 30,
  TQ1_0: 34,
  TQ2_0: 35,
  MXFP4: 39,
  NVFP4: 40,
  Q1_0: 41,
  Q2_0: 42,
} as const;

/** `enum llama_ftype`. */
export const fileTypes = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q8_0: 7,
  Q5_0: 8,
  Q5_1: 9,
  Q2_K: 10,
  Q3_K_S: 11,
  Q3_K_M: 12,
  Q3_K_L: 13,
  Q4_K_S: 14,
  Q4_K_M: 15,
  Q5_K_S: 16,
  Q5_K_M: 17,
  Q6_K: 18,
  IQ2_XXS: 19,
  IQ2_XS: 20,
  Q2_K_S: 21,
  IQ3_XS: 22,
  IQ3_XXS: 23,
  IQ1_S: 24,
  IQ4_NL: 25,
  IQ3_S: 26,
  IQ3_M: 27,
  IQ2_S: 28,
  IQ2_M: 29,
  IQ4_XS: 30,
  IQ1_M: 31,
  BF16: 32,
  TQ1_0: 36,
  TQ2_0: 37,
  MXFP4_MOE: 38,
  Q1_0: 40,
  Q2_0: 41,
} as const;

export type GgmlTypeName = keyof typeof ggmlTypes;
export type FileTypeName = keyof typeof fileTypes;

/** Bytes of a row of `cols` weights as ggml counts them. */
export function nativeRowBytes(ggmlType: number, cols: number): number {
  return Number(libraries().ggmlBase.func('size_t ggml_row_size(int type, int64_t cols)')(ggmlType, cols));
}

/** `ggml_type_name`, block size and block bytes, or undefined for a number ggml has no type for. */
export function nativeTypeTraits(ggmlType: number): { name: string; blockSize: number; typeSize: number } | undefined {
  if (ggmlType < 0 || ggmlType >= GGML_TYPE_COUNT) return undefined; // ggml reads beyond its table without asking
  const { ggmlBase } = libraries();
  const name = ggmlBase.func('const char *ggml_type_name(int type)')(ggmlType) as string | null;
  const blockSize = Number(ggmlBase.func('int64_t ggml_blck_size(int type)')(ggmlType));
  const typeSize = Number(ggmlBase.func('size_t ggml_type_size(int type)')(ggmlType));
  return name && blockSize > 0 ? { name, blockSize, typeSize } : undefined;
}

let quantizeChunk: ((...args: unknown[]) => number) | undefined;

/** Like nativeQuantizeChunk, into memory of the caller; for benchmarks. */
export function nativeQuantizeInto(
  type: GgmlTypeName,
  values: Float32Array,
  into: Uint8Array,
  rows: number,
  cols: number,
  imatrix?: Float32Array,
): void {
  quantizeChunk ??= libraries().ggmlBase.func(
    'size_t ggml_quantize_chunk(int type, const void *src, void *dst, int64_t start, int64_t rows, int64_t cols, const void *imatrix)',
  ) as unknown as (...args: unknown[]) => number;
  quantizeChunk(ggmlTypes[type], values, into, 0, rows, cols, imatrix ?? null);
}

/**
 * Quantizes `rows` × `cols` weights as llama.cpp does.
 * @param imatrix importance of each column, length `cols`
 */
export function nativeQuantizeChunk(
  type: GgmlTypeName,
  values: Float32Array,
  rows: number,
  cols: number,
  imatrix?: Float32Array,
): Uint8Array {
  if (values.length !== rows * cols) throw new Error(`${values.length} values are not ${rows} × ${cols}`);
  const bytes = new Uint8Array(rows * nativeRowBytes(ggmlTypes[type], cols));
  nativeQuantizeInto(type, values, bytes, rows, cols, imatrix);
  return bytes;
}

/** Decodes whole blocks with ggml's own dequantizer. */
export function nativeDequantize(type: GgmlTypeName, bytes: Uint8Array, count: number): Float32Array {
  const { ggmlBase } = libraries();
  const names: Partial<Record<GgmlTypeName, string>> = { F16: 'ggml_fp16_to_fp32_row', BF16: 'ggml_bf16_to_fp32_row' };
  const name = names[type] ?? `dequantize_row_${type.toLowerCase().replace(/_k$/, '_K')}`;
  const values = new Float32Array(count);
  ggmlBase.func(`void ${name}(const void *src, void *dst, int64_t count)`)(bytes, values, count);
  return values;
}

export interface NativeQuantizeOptions {
  threads?: number;
  /** Tensor name → importance of each column. */
  imatrix?: ReadonlyMap<string, Float32Array>;
  pure?: boolean;
  allowRequantize?: boolean;
  /** False leaves output.weight as it is. */
  quantizeOutputTensor?: boolean;
  /** Tensors are copied, whatever the file type. */
  onlyCopy?: boolean;
  /** One file per file of the input; `output` then has no ending. */
  keepSplit?: boolean;
  tokenEmbeddingType?: GgmlTypeName;
  outputTensorType?: GgmlTypeName;
  /** Regular expression and type. */
  tensorTypes?: readonly (readonly [pattern: string, type: GgmlTypeName])[];
  pruneLayers?: readonly number[];
  overrides?: readonly (readonly [key: string, value: NativeOverride])[];
}

/** `llama_model_kv_override`: its tag decides how the value is stored. */
export type NativeOverride = { int: bigint } | { float: number } | { bool: boolean } | { str: string };

/** `llama_model_quantize`: GGUF file in, GGUF file out. @throws Error when llama.cpp refuses */
export function nativeQuantizeModel(
  input: string,
  output: string,
  fileType: FileTypeName,
  options: NativeQuantizeOptions = {},
): void {
  if (!existsSync(input)) throw new Error(`${input} does not exist`);
  const { koffi, llama } = libraries();
  const { quantizeParams } = structs();
  const params = llama.func('llama_model_quantize_default_params', quantizeParams, [])();
  params.nthread = options.threads ?? 1;
  params.ftype = fileTypes[fileType];
  params.pure = options.pure ?? false;
  params.allow_requantize = options.allowRequantize ?? false;
  params.quantize_output_tensor = options.quantizeOutputTensor ?? true;
  params.only_copy = options.onlyCopy ?? false;
  params.keep_split = options.keepSplit ?? false;
  if (options.tokenEmbeddingType) params.token_embedding_type = ggmlTypes[options.tokenEmbeddingType];
  if (options.outputTensorType) params.output_tensor_type = ggmlTypes[options.outputTensorType];
  const imatrix = options.imatrix && imatrixEntries(options.imatrix);
  if (imatrix) params.imatrix = koffi.address(imatrix.entries);
  const tensorTypes = options.tensorTypes && tensorTypeEntries(options.tensorTypes);
  if (tensorTypes) params.tt_overrides = koffi.address(tensorTypes.entries);
  const pruned = options.pruneLayers && Int32Array.from([...options.pruneLayers, -1]);
  if (pruned) params.prune_layers = koffi.address(pruned);
  const overrides = options.overrides && overrideEntries(options.overrides);
  if (overrides) params.kv_overrides = koffi.address(overrides);
  const quantize = llama.func('llama_model_quantize', 'uint32_t', ['str', 'str', koffi.pointer(quantizeParams)]);
  const status = quantize(input, output, params);
  keepAlive([imatrix, tensorTypes, pruned, overrides]);
  if (status !== 0) throw new Error(`llama_model_quantize(${fileType}) failed with status ${status}`);
}

/** An array of `llama_model_imatrix_data {name, data, size}`, ended by an entry without a name. */
function imatrixEntries(imatrix: ReadonlyMap<string, Float32Array>) {
  const { koffi } = libraries();
  const entries = new BigUint64Array(3 * (imatrix.size + 1));
  const names: Buffer[] = [];
  let at = 0;
  for (const [name, data] of imatrix) {
    const text = Buffer.from(`${name}\0`);
    names.push(text);
    entries.set([koffi.address(text), koffi.address(data), BigInt(data.length)], at);
    at += 3;
  }
  return { entries, names, imatrix };
}

/** An array of `llama_model_tensor_override {pattern, type}`, ended by one without a pattern. */
function tensorTypeEntries(rules: readonly (readonly [string, GgmlTypeName])[]) {
  const { koffi } = libraries();
  const entries = new BigUint64Array(2 * (rules.length + 1));
  const patterns = rules.map(([pattern]) => Buffer.from(`${pattern}\0`));
  for (const [i, [, type]] of rules.entries())
    entries.set([koffi.address(patterns[i]!), BigInt(ggmlTypes[type])], 2 * i);
  return { entries, patterns };
}

/** An array of `llama_model_kv_override {tag i32, key[128], union of i64, f64, bool, char[128]}`, ended by an empty key. */
function overrideEntries(overrides: NonNullable<NativeQuantizeOptions['overrides']>): Buffer {
  const size = 264;
  const entries = Buffer.alloc(size * (overrides.length + 1));
  for (const [i, [key, value]] of overrides.entries()) {
    const at = i * size;
    entries.write(key, at + 4);
    const valueAt = at + 136;
    if ('int' in value) entries.writeBigInt64LE(value.int, valueAt);
    else if ('float' in value) entries.writeDoubleLE(value.float, valueAt);
    else if ('bool' in value) entries.writeUInt8(value.bool ? 1 : 0, valueAt);
    else entries.write(value.str, valueAt);
    entries.writeInt32LE('int' in value ? 0 : 'float' in value ? 1 : 'bool' in value ? 2 : 3, at);
  }
  return entries;
}
