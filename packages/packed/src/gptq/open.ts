// Reading GPTQ, v1 and v2 (layout.ts).
import { unpackCodes } from '../bit-codes.ts';
import { columnsOf } from '../columns.ts';
import { readGroupIndex } from '../group-index.ts';
import { integerWeight } from '../integer-weight.ts';
import { modulesWith } from '../modules.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { contradicts, groupsOf, partOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { SCALE_DTYPES } from '../scales.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import type { TileCache } from '../tile-cache.ts';
import { turnedScales } from '../turned-scales.ts';
import { zeroColumns } from './zeros.ts';

export interface GptqOptions {
  readonly bits: number;
  /** −1 for one group per row. */
  readonly groupSize: number;
  readonly symmetric: boolean;
  readonly actOrder: boolean;
  /** v1 */
  readonly storesZeroMinusOne: boolean;
}

export async function openGptq(
  tensors: ReadonlyMap<string, StoredTensor>,
  tiles: TileCache,
  options: GptqOptions,
): Promise<PackedWeight[]> {
  const weights: PackedWeight[] = [];
  for (const { module, tensor: qweight } of modulesWith(tensors, '.qweight')) {
    weights.push(await open(module, qweight, tensors, tiles, options));
  }
  return weights;
}

async function open(
  module: string,
  qweight: StoredTensor,
  tensors: ReadonlyMap<string, StoredTensor>,
  tiles: TileCache,
  options: GptqOptions,
): Promise<PackedWeight> {
  const { bits, symmetric } = options;
  const qzeros = partOf(tensors, `${module}.qzeros`, qweight);
  const scales = partOf(tensors, `${module}.scales`, qweight);
  const index = options.actOrder ? partOf(tensors, `${module}.g_idx`, qweight) : tensors.get(`${module}.g_idx`);

  proveRank(qweight, 2);
  proveDType(qweight, 'I32');
  const [words, rows] = qweight.shape;
  const cols = (words * 32) / bits;
  if (!Number.isInteger(cols)) {
    contradicts(
      qweight,
      `${qweight.name} has ${words} words per column, which hold no whole number of ${bits}-bit codes.`,
    );
  }
  proveCols(qweight, cols);
  const { groups, groupSize } = groupsOf(cols, options.groupSize);
  const why = `${qweight.name} at ${bits} bits in groups of ${groupSize}`;
  proveDType(qzeros, 'I32');
  proveShape(qzeros, [groups, Math.ceil((rows * bits) / 32)], why);
  proveDType(scales, ...SCALE_DTYPES);
  proveShape(scales, [groups, rows], why);
  const groupOf = index && (await readGroupIndex(index, cols, groups, groupSize));
  if (groupOf && !options.actOrder) {
    contradicts(index, `desc_act is false, and the groups of ${index.name} are not in order.`);
  }

  const codeColumns = columnsOf(qweight, tiles);
  const scalesOf = turnedScales(scales, tiles);
  const zeroOf = zeroColumns(qzeros, tiles, options);
  return integerWeight({
    name: `${module}.weight`,
    format: options.storesZeroMinusOne ? 'gptq' : 'gptq_v2',
    shape: [rows, cols],
    parts: [qweight, qzeros, scales, ...(index ? [index] : [])].map(({ name }) => name),
    bits,
    groupSize,
    shift: symmetric ? 'middle' : 'zeros',
    inOrder: groupOf === undefined,
    scaleParts: [scales],
    async readGroups(firstRow, count) {
      const codes = new Uint8Array(count * cols);
      const zeros = new Uint8Array(count * groups);
      const steps = new Float32Array(count * groups);
      for (let r = 0; r < count; r++) {
        const packed = await codeColumns.column(firstRow + r);
        const bytes = new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
        unpackCodes(bytes, bits, cols, codes, r * cols);
        await zeroOf(firstRow + r, zeros.subarray(r * groups, (r + 1) * groups));
        await scalesOf(firstRow + r, steps.subarray(r * groups, (r + 1) * groups));
      }
      const shifts = symmetric ? {} : { zeros };
      return { rows: count, cols, groupSize, bits, codes, scales: steps, ...shifts, ...(groupOf && { groupOf }) };
    },
  });
}
