// compressed-tensors: which room of this folder opens a module.
import { fp4Weight, proveFp4 } from '../fp4-weight.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { partOf, proveDType, proveShape } from '../proofs.ts';
import { refuseVariant } from '../refused.ts';
import { scaledFloat } from '../scaled-float.ts';
import { POWER_DTYPES, readScales, refuseScale } from '../scales.ts';
import type { Room } from '../scheme.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { openIntegers } from './integers.ts';
import { type ModuleSettings, readSettings } from './settings.ts';

export type Tensors = ReadonlyMap<string, StoredTensor>;
type Opener = (module: string, tensors: Tensors, settings: ModuleSettings) => PackedWeight | Promise<PackedWeight>;

const openers: Readonly<Record<string, Opener>> = {
  'pack-quantized': openIntegers,
  'int-quantized': openIntegers,
  'float-quantized': openFloats,
  'naive-quantized': (module, tensors, settings) =>
    (settings.type === 'float' ? openFloats : openIntegers)(module, tensors, settings),
  'mxfp8-quantized': openFloats,
  'nvfp4-pack-quantized': openNvfp4,
  'mxfp4-pack-quantized': openMxfp4,
};

export const compressedTensors: Room = {
  method: 'compressed-tensors',
  scheme(config) {
    const settings = readSettings(config);
    if (!settings) return undefined;
    const { description, settingsOf } = settings;
    return {
      method: 'compressed-tensors',
      description,
      async open(tensors) {
        const weights: PackedWeight[] = [];
        for (const module of modulesOf(tensors)) {
          const how = settingsOf(module);
          if (!Object.hasOwn(openers, how.format)) {
            refuseVariant(
              `compressed-tensors in the format ${how.format}`,
              `Decompress it with compressed-tensors; read are ${Object.keys(openers).join(', ')}.`,
            );
          }
          weights.push(await openers[how.format](module, tensors, how));
        }
        return weights;
      },
    };
  },
};

/** Modules with a part of either name, so that a missing one is noticed. */
function modulesOf(tensors: Tensors): Set<string> {
  const modules = [...tensors.keys()].map((name) => /^(.+)\.weight_(?:packed|scale)$/.exec(name)?.[1]);
  return new Set(modules.filter((module) => module !== undefined));
}

function openFloats(module: string, tensors: Tensors, settings: ModuleSettings): PackedWeight {
  const { strategy, groupSize, tile, format } = settings;
  const scales = tensors.get(`${module}.weight_scale`) as StoredTensor;
  const weight = partOf(tensors, `${module}.weight`, scales);
  const units = { tensor: 'tensor', channel: 'row', group: [1, groupSize], block: tile } as const;
  return scaledFloat({ name: weight.name, format, weight, scales, unit: units[strategy] });
}

async function openNvfp4(module: string, tensors: Tensors): Promise<PackedWeight> {
  const parts = fp4Parts(module, tensors, 16, ['F8_E4M3']);
  const divisor = partOf(tensors, `${module}.weight_global_scale`, parts.codes);
  proveDType(divisor, 'F32');
  proveShape(divisor, divisor.shape.length === 0 ? [] : [1], 'a scale per tensor');
  const [value] = await readScales(divisor, 0, 1);
  // The reciprocal in f32, as llama.cpp stores it: the blocks and their factor are then the very same weights.
  const tensorScale = Math.fround(1 / value);
  if (!Number.isFinite(tensorScale)) refuseScale(divisor, value);
  return fp4Weight({
    ...parts,
    format: 'nvfp4-pack-quantized',
    kind: 'NVFP4',
    tensorScale,
    otherParts: [divisor.name],
  });
}

function openMxfp4(module: string, tensors: Tensors): PackedWeight {
  return fp4Weight({
    ...fp4Parts(module, tensors, 32, POWER_DTYPES),
    format: 'mxfp4-pack-quantized',
    kind: 'MXFP4',
  });
}

function fp4Parts(module: string, tensors: Tensors, block: number, scaleDTypes: readonly string[]) {
  const whole = (tensors.get(`${module}.weight_packed`) ?? tensors.get(`${module}.weight_scale`)) as StoredTensor;
  const codes = partOf(tensors, `${module}.weight_packed`, whole);
  const scales = partOf(tensors, `${module}.weight_scale`, whole);
  return { name: `${module}.weight`, ...proveFp4(codes, scales, block, scaleDTypes) };
}
