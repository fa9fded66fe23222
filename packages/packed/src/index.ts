// What a packed weight of a Hugging Face checkpoint is: how each format stores it, reading and writing.
export { dequantize } from './integer-weight.ts';
export { describesActivations, describesCache } from './not-weights.ts';
export { openPacked } from './open.ts';
export type { PackedScheme } from './packed-scheme.ts';
export type { ExactForm, GroupedRows, PackedWeight } from './packed-weight.ts';
export type { Making, PackedConfig, PackedModules, PackedPart, Packer, PackerLimits, PackOptions } from './packer.ts';
export { packers } from './packers.ts';
export { schemeOf, standaloneConfigs, withoutQuantization } from './scheme.ts';
export type { StoredTensor } from './stored-tensor.ts';
export type { TileLimits } from './tile-cache.ts';
