// DeepSeek V4: {expert_dtype: "fp4"} beside quantization_config, or without one. Every weight that is no plain number has a
// scale beside it, and its dtype says what it is:
//
//   X.weight   I8 [out, in / 2], two FP4 numbers a byte      X.scale   F8_E8M0 [out, in / 32]
//   X.weight   F8_E4M3 [out, in]                             X.scale   F8_E8M0 [⌈out / 128⌉, ⌈in / 128⌉]
//
// Source: llama.cpp conversion/deepseek.py DeepseekV4Model; DeepSeek-V4 inference/convert.py.
import { QuernError } from '@quern/errors';
import { fp4Weight } from '../fp4-weight.ts';
import { modulesWith } from '../modules.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { blocksOf, partOf, placeOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { scaledFloat } from '../scaled-float.ts';
import { POWER_DTYPES } from '../scales.ts';
import type { Room } from '../scheme.ts';
import type { StoredTensor } from '../stored-tensor.ts';

const BLOCK = 32;
const TILE = [128, 128] as const;

export const deepseek4: Room = {
  method: 'fp4',
  scheme: () => ({
    method: 'fp4',
    description: 'FP4 experts, 4.25 bits, blocks of 32; FP8 in tiles of 128 × 128',
    open: async (tensors) => {
      const weights = modulesWith(tensors, '.scale').map(({ module, tensor }) => open(module, tensor, tensors));
      refuseWithoutScale(tensors, new Set(weights.map(({ name }) => name)));
      return weights;
    },
  }),
};

function open(module: string, scales: StoredTensor, tensors: ReadonlyMap<string, StoredTensor>): PackedWeight {
  const name = `${module}.weight`;
  const weight = partOf(tensors, name, scales);
  proveRank(weight, 2);
  if (weight.dtype.name === 'F8_E4M3') return scaledFloat({ name, format: 'fp8', weight, scales, unit: TILE });
  proveDType(weight, 'I8', 'U8');
  const [out] = weight.shape;
  const cols = weight.cols * 2;
  proveCols(weight, cols);
  proveDType(scales, ...POWER_DTYPES);
  proveShape(scales, [out, blocksOf(weight, cols, BLOCK)], `blocks of ${BLOCK} in ${name}`);
  return fp4Weight({ name, format: 'fp4', kind: 'MXFP4', shape: [out, cols], codes: weight, scales });
}

function refuseWithoutScale(tensors: ReadonlyMap<string, StoredTensor>, opened: ReadonlySet<string>): void {
  for (const tensor of tensors.values()) {
    const { name, dtype } = tensor;
    if (!name.endsWith('.weight') || opened.has(name) || !/^(I8|U8|F8_E4M3)/.test(dtype.name)) continue;
    throw new QuernError('packed-part-missing', `${name} is ${dtype.name} and has no scale.`, {
      ...placeOf(tensor),
      remedy: 'Download the checkpoint again; all of its shards are needed.',
    });
  }
}
