// ModelOpt INT4_AWQ (`W4A16_AWQ` in configurations). Source: modelopt/torch/export/quant_utils.py pack_int4_in_uint8.
//
//   weight            u8 [out / 2, in]   signed codes; row 2j in the low, row 2j + 1 in the high nibble
//   weight_scale      [out, in / g]
//   pre_quant_scale   [in], where it could not be folded into the layer before: it multiplies the input
//
//   w[o][i] = code · weight_scale[o][⌊i / g⌋] · pre_quant_scale[i]
import { integerWeight } from '../integer-weight.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { groupsOf, partOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { readScales, SCALE_DTYPES } from '../scales.ts';
import type { ModelOptModule } from './algorithms.ts';

export function openInt4({ module, scales, tensors, groupSize: configured }: ModelOptModule): PackedWeight {
  const weight = partOf(tensors, `${module}.weight`, scales);
  proveRank(weight, 2);
  proveDType(weight, 'U8');
  const [pairs, cols] = weight.shape;
  const rows = pairs * 2;
  proveCols(weight, cols);
  const { groups, groupSize } = groupsOf(cols, configured);
  proveDType(scales, ...SCALE_DTYPES);
  proveShape(scales, [rows, groups], `${weight.name} in groups of ${groupSize}`);

  const plain = integerWeight({
    name: weight.name,
    format: 'modelopt-int4',
    shape: [rows, cols],
    parts: [weight.name, scales.name],
    bits: 4,
    groupSize,
    shift: 'middle',
    inOrder: true,
    scaleParts: [scales],
    async readGroups(firstRow, count) {
      const firstPair = Math.floor(firstRow / 2);
      const bytes = new Uint8Array((Math.floor((firstRow + count - 1) / 2) - firstPair + 1) * cols);
      await weight.readRows(firstPair, bytes.length / cols, bytes);
      const codes = new Uint8Array(count * cols);
      for (let r = 0; r < count; r++) {
        const at = (Math.floor((firstRow + r) / 2) - firstPair) * cols;
        const shift = (firstRow + r) & 1 ? 4 : 0;
        // Signed −8 … 7 → 0 … 15: the sign bit turns around.
        for (let c = 0; c < cols; c++) codes[r * cols + c] = ((bytes[at + c] >> shift) & 15) ^ 8;
      }
      return {
        rows: count,
        cols,
        groupSize,
        bits: 4,
        codes,
        scales: await readScales(scales, firstRow, count),
      };
    },
  });

  const before = tensors.get(`${module}.pre_quant_scale`);
  if (!before) return plain;
  proveDType(before, ...SCALE_DTYPES);
  proveShape(before, [cols], `a factor per column of ${weight.name}`);
  // A scale per column as well: neither blocks nor groups can say that.
  const { readGroups: _, ...rest } = plain;
  return {
    ...rest,
    parts: [...plain.parts, before.name],
    exact: [],
    async readRows(firstRow, count, into) {
      await plain.readRows(firstRow, count, into);
      const factors = await readScales(before, 0, 1);
      for (let i = 0; i < into.length; i++) into[i] *= factors[i % cols];
    },
  };
}
