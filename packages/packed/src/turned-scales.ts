// Scales that lie [groups, out], as AWQ and GPTQ store them: those of one channel are a column.
import { columnsOf } from './columns.ts';
import { decodeScales } from './scales.ts';
import type { StoredTensor } from './stored-tensor.ts';
import type { TileCache } from './tile-cache.ts';

/** Reads the scales of channel `row`, one per group. The function throws QuernError `packed-scale-not-finite`. */
export function turnedScales(
  scales: StoredTensor,
  tiles: TileCache,
): (row: number, into: Float32Array) => Promise<void> {
  const columns = columnsOf(scales, tiles);
  return async (row, into) => {
    const { buffer, byteOffset, byteLength } = await columns.column(row);
    decodeScales(scales, new Uint8Array(buffer, byteOffset, byteLength), into);
  };
}
