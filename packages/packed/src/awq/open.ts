// Reading AWQ "gemm" (layout.ts).
import { columnsOf } from '../columns.ts';
import { integerWeight } from '../integer-weight.ts';
import { modulesWith } from '../modules.ts';
import type { PackedWeight } from '../packed-weight.ts';
import { groupsOf, partOf, proveCols, proveDType, proveRank, proveShape } from '../proofs.ts';
import { SCALE_DTYPES } from '../scales.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import type { TileCache } from '../tile-cache.ts';
import { turnedScales } from '../turned-scales.ts';
import { BITS, FORMAT, PER_WORD, SHIFT_OF } from './layout.ts';

export function openAwq(
  tensors: ReadonlyMap<string, StoredTensor>,
  tiles: TileCache,
  groupSize: number,
): PackedWeight[] {
  return modulesWith(tensors, '.qweight').map(({ module, tensor: qweight }) => {
    const qzeros = partOf(tensors, `${module}.qzeros`, qweight);
    const scales = partOf(tensors, `${module}.scales`, qweight);
    return open(module, { qweight, qzeros, scales }, tiles, groupSize);
  });
}

interface Parts {
  readonly qweight: StoredTensor;
  readonly qzeros: StoredTensor;
  readonly scales: StoredTensor;
}

function open(module: string, { qweight, qzeros, scales }: Parts, tiles: TileCache, configured: number): PackedWeight {
  proveRank(qweight, 2);
  proveDType(qweight, 'I32');
  const [cols, words] = qweight.shape;
  proveCols(qweight, cols);
  const { groups, groupSize } = groupsOf(cols, configured);
  const rows = words * PER_WORD;
  const why = `the shape of ${qweight.name} with groups of ${groupSize}`;
  proveDType(qzeros, 'I32');
  proveShape(qzeros, [groups, words], why);
  proveDType(scales, ...SCALE_DTYPES);
  proveShape(scales, [groups, rows], why);

  const codeColumns = columnsOf(qweight, tiles);
  const zeroColumns = columnsOf(qzeros, tiles);
  const scalesOf = turnedScales(scales, tiles);
  return integerWeight({
    name: `${module}.weight`,
    format: FORMAT,
    shape: [rows, cols],
    parts: [qweight.name, qzeros.name, scales.name],
    bits: BITS,
    groupSize,
    shift: 'zeros',
    inOrder: true,
    scaleParts: [scales],
    async readGroups(firstRow, count) {
      const codes = new Uint8Array(count * cols);
      const zeros = new Uint8Array(count * groups);
      const steps = new Float32Array(count * groups);
      for (let r = 0; r < count; r++) {
        const word = Math.floor((firstRow + r) / PER_WORD);
        const shift = SHIFT_OF[(firstRow + r) % PER_WORD];
        const packed = await codeColumns.column(word);
        for (let c = 0; c < cols; c++) codes[r * cols + c] = (packed[c] >>> shift) & 15;
        const packedZeros = await zeroColumns.column(word);
        for (let g = 0; g < groups; g++) zeros[r * groups + g] = (packedZeros[g] >>> shift) & 15;
        await scalesOf(firstRow + r, steps.subarray(r * groups, (r + 1) * groups));
      }
      return { rows: count, cols, groupSize, bits: BITS, codes, scales: steps, zeros };
    },
  });
}
