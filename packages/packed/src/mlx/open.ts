// Reading MLX affine (layout.ts).
import { integerWeight } from '../integer-weight.ts';
import { modulesWith } from '../modules.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { contradicts, groupsOf, partOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { readRowCodes } from '../row-codes.ts';
import { readScales, SCALE_DTYPES } from '../scales.ts';
import type { StoredTensor } from '../stored-tensor.ts';

export interface MlxSettings {
  readonly groupSize: number;
  readonly bits: number;
}

/** @param settingsOf of a module; false where the configuration says that it is not quantized */
export function openMlx(
  tensors: ReadonlyMap<string, StoredTensor>,
  settingsOf: (module: string) => MlxSettings | false,
): PackedWeight[] {
  return modulesWith(tensors, '.scales').map(({ module, tensor: scales }) => {
    const settings = settingsOf(module);
    if (!settings) contradicts(scales, `The configuration says that ${module} is not quantized, and it has scales.`);
    return open(module, scales, tensors, settings);
  });
}

function open(
  module: string,
  scales: StoredTensor,
  tensors: ReadonlyMap<string, StoredTensor>,
  { bits, groupSize: configured }: MlxSettings,
): PackedWeight {
  const weight = partOf(tensors, `${module}.weight`, scales);
  const biases = partOf(tensors, `${module}.biases`, scales);
  proveRank(weight, 2, 3);
  proveDType(weight, 'U32');
  const words = weight.cols;
  const cols = (words * 32) / bits;
  if (!Number.isInteger(cols)) {
    contradicts(weight, `${weight.name} has rows of ${words} words, which hold no whole number of ${bits}-bit codes.`);
  }
  proveCols(weight, cols);
  const { groups, groupSize } = groupsOf(cols, configured);
  const leading = weight.shape.slice(0, -1);
  const why = `${weight.name} at ${bits} bits in groups of ${groupSize}`;
  proveDType(scales, ...SCALE_DTYPES);
  proveShape(scales, [...leading, groups], why);
  proveDType(biases, scales.dtype.name);
  proveShape(biases, [...leading, groups], why);
  return integerWeight({
    name: weight.name,
    format: 'mlx',
    shape: [...leading, cols],
    parts: [weight.name, scales.name, biases.name],
    bits,
    groupSize,
    shift: 'offsets',
    inOrder: true,
    scaleParts: [scales, biases],
    async readGroups(firstRow, count) {
      const codes = await readRowCodes(weight, firstRow, count, cols, bits);
      const steps = await readScales(scales, firstRow, count);
      const offsets = await readScales(biases, firstRow, count);
      return { rows: count, cols, groupSize, bits, codes, scales: steps, offsets };
    },
  });
}
