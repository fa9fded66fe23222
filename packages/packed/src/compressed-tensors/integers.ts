// Reading integer codes of compressed-tensors: pack-quantized and int-quantized (layout.ts).
import { QuernError } from '@quern/errors';
import { readGroupIndex } from '../group-index.ts';
import { integerWeight } from '../integer-weight.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { contradicts, groupsOf, partOf, placeOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { refuseVariant } from '../refused.ts';
import { readRowCodes } from '../row-codes.ts';
import { readScales, SCALE_DTYPES } from '../scales.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import { PACKED_BITS } from './layout.ts';
import type { ModuleSettings } from './settings.ts';
import { proveZeros, readZeros } from './zeros.ts';

type Tensors = ReadonlyMap<string, StoredTensor>;

export async function openIntegers(module: string, tensors: Tensors, settings: ModuleSettings): Promise<PackedWeight> {
  const { bits, strategy, symmetric } = settings;
  const scales = tensors.get(`${module}.weight_scale`);
  const packed = tensors.get(`${module}.weight_packed`);
  const weight = packed ?? partOf(tensors, `${module}.weight`, scales as StoredTensor);
  const scale = partOf(tensors, `${module}.weight_scale`, weight);
  if (settings.type !== 'int')
    contradicts(weight, `weights.type is ${settings.type}, and ${weight.name} holds integers.`);
  if (strategy === 'block') refuseVariant('compressed-tensors with integer codes in tiles', 'Use strategy "group".');

  proveRank(weight, 2);
  proveDType(weight, packed ? 'I32' : 'I8');
  const [rows, cols] = packed ? await packedShape(packed, tensors, bits, module) : weight.shape;
  if (!packed && bits !== 8) contradicts(weight, `num_bits is ${bits}, and ${weight.name} holds bytes.`);
  proveCols(weight, cols);
  const { groups, groupSize } = groupsOf(cols, strategy === 'group' ? settings.groupSize : -1);
  proveDType(scale, ...SCALE_DTYPES);
  const perTensor = strategy === 'tensor';
  if (!(perTensor && scale.shape.length === 0)) {
    proveShape(scale, perTensor ? [1] : [rows, groups], `${weight.name} with a scale per ${strategy}`);
  }
  const zeroPoint = symmetric ? undefined : partOf(tensors, `${module}.weight_zero_point`, weight);
  if (zeroPoint) proveZeros(zeroPoint, rows, groups, settings);
  const indexName = `${module}.weight_g_idx`;
  const index = settings.actOrder ? partOf(tensors, indexName, weight) : tensors.get(indexName);
  const groupOf = index && (await readGroupIndex(index, cols, groups, groupSize));
  if (groupOf && !settings.actOrder) {
    contradicts(index, `actorder is not "group", and the groups of ${index.name} are not in order.`);
  }

  const extra = [zeroPoint, index, tensors.get(`${module}.weight_shape`)].flatMap((part) => part?.name ?? []);
  return integerWeight({
    name: `${module}.weight`,
    format: packed ? 'pack-quantized' : 'int-quantized',
    shape: [rows, cols],
    parts: [weight.name, scale.name, ...extra],
    bits,
    groupSize,
    shift: symmetric ? 'middle' : 'zeros',
    inOrder: groupOf === undefined,
    scaleParts: [scale],
    async readGroups(firstRow, count) {
      const codes = packed
        ? await readRowCodes(packed, firstRow, count, cols, bits)
        : await readBytes(weight, firstRow, count);
      const steps = perTensor
        ? new Float32Array(count).fill((await readScales(scale, 0, 1))[0])
        : await readScales(scale, firstRow, count);
      const zeros = zeroPoint && (await readZeros(zeroPoint, firstRow, count, groups, settings));
      return {
        rows: count,
        cols,
        groupSize,
        bits,
        codes,
        scales: steps,
        ...(zeros && { zeros }),
        ...(groupOf && { groupOf }),
      };
    },
  });
}

/** Signed bytes as codes from 0 on. */
async function readBytes(weight: StoredTensor, firstRow: number, count: number): Promise<Uint8Array> {
  const codes = new Uint8Array(count * weight.rowBytes);
  await weight.readRows(firstRow, count, codes);
  for (let i = 0; i < codes.length; i++) codes[i] ^= 128;
  return codes;
}

/** What `weight_shape` says, proved against the words. */
async function packedShape(
  packed: StoredTensor,
  tensors: Tensors,
  bits: number,
  module: string,
): Promise<readonly [number, number]> {
  if (!PACKED_BITS.includes(bits)) {
    refuseVariant(
      `pack-quantized at ${bits} bits`,
      `Its words differ between versions; read are ${PACKED_BITS.join(', ')} bits.`,
    );
  }
  const stored = partOf(tensors, `${module}.weight_shape`, packed);
  proveDType(stored, 'I64', 'I32');
  proveShape(stored, [2], 'the shape of a matrix');
  const bytes = new Uint8Array(stored.rowBytes);
  await stored.readRows(0, 1, bytes);
  const view = new DataView(bytes.buffer);
  const at = (axis: number) =>
    stored.dtype.name === 'I64' ? Number(view.getBigInt64(8 * axis, true)) : view.getInt32(4 * axis, true);
  const [rows, cols] = [at(0), at(1)];
  const [packedRows, words] = packed.shape;
  if (cols > 0 && rows === packedRows && words === Math.ceil((cols * bits) / 32)) return [rows, cols];
  throw new QuernError(
    'packed-config-contradicts',
    `${stored.name} says [${rows}, ${cols}], and ${packed.name} holds [${packedRows}, ${words}] words of ${bits}-bit codes.`,
    { ...placeOf(stored), remedy: 'Check num_bits in config.json.' },
  );
}
