// Whether F16, which ggml's blocks have, holds scales that are stored as BF16 or F32. A BF16 number has 8 significant
// bits and F16 has 11, so most scales of most checkpoints fit: all from 2^-17 to 65504, and those below with few bits.
import { f16ToF32, f32ToF16 } from '@quern/blocks';
import { readScales } from './scales.ts';
import type { StoredTensor } from './stored-tensor.ts';

/** Scales held at once, but for a row that is longer. */
const BATCH = 2 ** 18;

/**
 * Reads until one does not fit.
 * @throws QuernError `packed-scale-not-finite`
 */
export async function areHalves(parts: readonly StoredTensor[]): Promise<boolean> {
  for (const part of parts) {
    const batchRows = Math.max(1, Math.floor(BATCH / part.cols));
    for (let row = 0; row < part.rows; row += batchRows) {
      const scales = await readScales(part, row, Math.min(batchRows, part.rows - row));
      if (!scales.every((scale) => f16ToF32(f32ToF16(scale)) === scale)) return false;
    }
  }
  return true;
}
