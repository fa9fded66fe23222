// What ModelOpt's `quant_algo` means for the tensors of a module. One row per algorithm.
//
//   FP8                          weight F8_E4M3, weight_scale of the tensor
//   FP8_PER_CHANNEL_PER_TOKEN    weight F8_E4M3, weight_scale [out]
//   MXFP8                        weight F8_E4M3, weight_scale u8 (E8M0) [out, in / 32]
//   NVFP4, W4A16_NVFP4           weight u8 [out, in / 2], weight_scale F8_E4M3 [out, in / 16], weight_scale_2 f32
//   W4A16_AWQ, INT4_AWQ          int4.ts
import { fp4Weight, proveFp4 } from '../fp4-weight.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { contradicts, partOf, proveDType, proveShape } from '../proofs.ts';
import { type ScaleUnit, scaledFloat } from '../scaled-float.ts';
import { readScales } from '../scales.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { openInt4 } from './int4.ts';

export interface ModelOptModule {
  readonly module: string;
  /** Its `weight_scale`. */
  readonly scales: StoredTensor;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly groupSize: number;
}

export type Algorithm = (module: ModelOptModule) => PackedWeight | Promise<PackedWeight>;

interface AlgorithmRow {
  readonly algorithm: Algorithm;
  /** Group size where the configuration is silent; absent where there are no groups. */
  readonly usualGroup?: number;
}

export const algorithms: Readonly<Record<string, AlgorithmRow>> = {
  FP8: { algorithm: (module) => openFloat(module, 'tensor') },
  FP8_PER_CHANNEL_PER_TOKEN: { algorithm: (module) => openFloat(module, 'row') },
  MXFP8: { algorithm: (module) => openFloat(module, [1, module.groupSize]), usualGroup: 32 },
  NVFP4: { algorithm: openNvfp4, usualGroup: 16 },
  W4A16_NVFP4: { algorithm: openNvfp4, usualGroup: 16 },
  W4A16_AWQ: { algorithm: openInt4, usualGroup: 128 },
  INT4_AWQ: { algorithm: openInt4, usualGroup: 128 },
};

function openFloat({ module, scales, tensors }: ModelOptModule, unit: ScaleUnit): PackedWeight {
  const weight = partOf(tensors, `${module}.weight`, scales);
  return scaledFloat({ name: weight.name, format: 'modelopt-fp8', weight, scales, unit });
}

async function openNvfp4({ module, scales, tensors, groupSize }: ModelOptModule): Promise<PackedWeight> {
  const codes = partOf(tensors, `${module}.weight`, scales);
  const second = partOf(tensors, `${module}.weight_scale_2`, scales);
  if (groupSize !== 16) contradicts(codes, `NVFP4 has blocks of 16, and group_size is ${groupSize}.`);
  const before = tensors.get(`${module}.pre_quant_scale`);
  if (before) contradicts(before, `${before.name} belongs to another algorithm than NVFP4.`);
  const parts = proveFp4(codes, scales, 16, ['F8_E4M3']);
  proveDType(second, 'F32');
  proveShape(second, second.shape.length === 0 ? [] : [1], 'a second scale per tensor');
  const [tensorScale] = await readScales(second, 0, 1);
  return fp4Weight({
    ...parts,
    name: codes.name,
    format: 'modelopt-nvfp4',
    kind: 'NVFP4',
    tensorScale,
    otherParts: [second.name],
  });
}
