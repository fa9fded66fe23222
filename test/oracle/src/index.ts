// Native llama.cpp as the independent truth. Check `oracleUnavailable` before anything else.

export { type NativeGrammar, nativeGrammar } from './grammar.ts';
export { oracleUnavailable } from './library.ts';
export { type MatmulInput, nativeMatmulInputs } from './matmul-inputs.ts';
export {
  type NativeLogitsOptions,
  type NativeModel,
  type NativeTokenizeOptions,
  nativeLogits,
  nativeTokenize,
  openNativeModel,
} from './model.ts';
export {
  type FileTypeName,
  fileTypes,
  type GgmlTypeName,
  ggmlTypes,
  type NativeQuantizeOptions,
  nativeDequantize,
  nativeQuantizeChunk,
  nativeQuantizeInto,
  nativeQuantizeModel,
  nativeRowBytes,
  nativeTypeTraits,
} from './quantize.ts';
export { type NativeSampler, type NativeStage, nativeSampler } from './sampler.ts';
export { type NativeImatrix, nativeWriteImatrix } from './write-imatrix.ts';
