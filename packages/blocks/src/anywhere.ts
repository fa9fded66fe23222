// What runs anywhere: the types, their reference codecs and their WGSL.
export { type ActivationBlock, roundActivations } from './activations/reference.ts';
export { roundingWgsl } from './activations/round.wgsl.ts';
export type { Codec } from './codec.ts';
export { codecOf, hasCodec } from './codecs.ts';
export type { DType } from './dtype.ts';
export { bitsPerWeight, dtypeByGgmlId, dtypeByName, dtypeBySafetensorsName, dtypes, rowBytes } from './dtype.ts';
export {
  bf16ToF32,
  f8E4m3ToF32,
  f8E5m2ToF32,
  f16ToF32,
  f32ToBf16,
  f32ToF8E4m3,
  f32ToF8E5m2,
  f32ToF16,
} from './half.ts';
export { wgslDecoder, wgslTable, wgslTypes } from './wgsl-decoders.ts';
export { wgslEncoder } from './wgsl-encoders.ts';
export { wgslIntegers } from './wgsl-integers.ts';
