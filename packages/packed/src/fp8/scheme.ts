// quant_method "fp8": {weight_block_size: [128, 128] or absent, activation_scheme, modules_to_not_convert}.
//
//   X.weight             F8_E4M3 [out, in]
//   X.weight_scale_inv   f32, bf16 or F8_E8M0 [⌈out / 128⌉, ⌈in / 128⌉], which multiplies in spite of its name
//   X.weight_scale       one for the tensor, or [out, 1]: what vLLM and llm-compressor wrote without a block size
//
// quant_method "fbgemm_fp8" is the last of these, [out, 1].
//
// Source: DeepSeek-V3 inference/fp8_cast_bf16.py; transformers
// src/transformers/integrations/{finegrained_fp8,fbgemm_fp8}.py.
import { QuernError } from '@quern/errors';
import { describesCache } from '../not-weights.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { partOf, placeOf } from '../proofs.ts';
import { type ScaleUnit, scaledFloat } from '../scaled-float.ts';
import type { Room } from '../scheme.ts';
import { configInvalid } from '../settings.ts';
import type { StoredTensor } from '../stored-tensor.ts';

export const fp8: Room = {
  method: 'fp8',
  scheme(settings) {
    const tile = settings.weight_block_size ?? undefined;
    if (tile !== undefined && !isTile(tile)) {
      configInvalid(`weight_block_size is ${JSON.stringify(tile)}, and must be two positive integers.`);
    }
    return {
      method: 'fp8',
      description: tile ? `FP8 in tiles of ${tile.join(' × ')}` : 'FP8 with a scale per tensor or row',
      open: async (tensors) => openFp8(tensors, tile),
    };
  },
};

export const fbgemmFp8: Room = {
  method: 'fbgemm_fp8',
  scheme: () => ({
    method: 'fbgemm_fp8',
    description: 'FP8 with a scale per row',
    open: async (tensors) => openFp8(tensors, undefined),
  }),
};

const isTile = (value: unknown): value is readonly [number, number] =>
  Array.isArray(value) && value.length === 2 && value.every((size) => Number.isSafeInteger(size) && size > 0);

const SCALE = /^(.+)_scale(?:_inv)?$/;

function openFp8(
  tensors: ReadonlyMap<string, StoredTensor>,
  tile: readonly [number, number] | undefined,
): PackedWeight[] {
  const weights: PackedWeight[] = [];
  for (const [scaleName, scales] of tensors) {
    const name = SCALE.exec(scaleName)?.[1];
    const inverse = scaleName.endsWith('_inv');
    // Scales of activations and caches have other bases than a weight's name.
    if (name === undefined || describesCache(scaleName) || (!inverse && !name.endsWith('weight'))) continue;
    const weight = partOf(tensors, name, scales);
    weights.push(scaledFloat({ name, format: 'fp8', weight, scales, unit: tile ?? unitOf(scales) }));
  }
  const opened = new Set(weights.map(({ name }) => name));
  for (const weight of tensors.values()) {
    if (!weight.dtype.name.startsWith('F8_E4M3') || opened.has(weight.name)) continue;
    throw new QuernError('packed-part-missing', `${weight.name} is FP8 and has no scale.`, {
      ...placeOf(weight),
      remedy: 'Download the checkpoint again; all of its shards are needed.',
    });
  }
  return weights;
}

const unitOf = (scales: StoredTensor): ScaleUnit =>
  scales.shape.reduce((product, size) => product * size, 1) === 1 ? 'tensor' : 'row';
