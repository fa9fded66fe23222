// Format → how it is written. One row per format.
import { awqPacker } from './awq/pack.ts';
import { compressedTensorsPacker } from './compressed-tensors/pack.ts';
import { gptqV1Packer, gptqV2Packer } from './gptq/pack.ts';
import { mlxPacker } from './mlx/pack.ts';
import { modeloptPacker } from './modelopt/pack.ts';
import type { Packer } from './packer.ts';

export const packers: ReadonlyMap<string, Packer> = new Map(
  [awqPacker, gptqV1Packer, gptqV2Packer, compressedTensorsPacker, mlxPacker, modeloptPacker].map((packer) => [
    packer.format,
    packer,
  ]),
);
