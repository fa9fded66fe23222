// Σ w·(x - x̂)² of a tensor that was encoded: what `predictDivergence` goes by.
import { dtypeByName, type TranscodePool } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import type { TensorPlan } from '@quern/kquant';

/** Weights that are on the heap at once. */
const weightsAtOnce = 2 ** 20;

/**
 * @param encoded the tensor as `plan` writes it
 * @param importance [matrices, cols]; without it all columns count the same
 */
export async function squaredError(
  pool: TranscodePool,
  { from, to, rows, cols, shape }: TensorPlan,
  view: TensorView,
  encoded: Uint8Array,
  importance?: Float32Array,
): Promise<number> {
  const f32 = dtypeByName('F32');
  const bytesPerRow = encoded.length / rows;
  const step = Math.max(1, Math.floor(weightsAtOnce / cols));
  const rowsPerMatrix = shape.at(-2) ?? 1;
  let sum = 0;
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const source = new Float32Array(count * cols);
    const written = new Float32Array(count * cols);
    const stored = new Uint8Array(count * view.rowBytes);
    await view.readRows(first, count, stored);
    await decode(pool, { from, to: f32, rows: count, cols }, stored, source);
    const bytes = encoded.subarray(first * bytesPerRow, (first + count) * bytesPerRow);
    await decode(pool, { from: to, to: f32, rows: count, cols }, bytes, written);
    for (let row = 0; row < count; row++) {
      const columns = importance && Math.floor((first + row) / rowsPerMatrix) * cols;
      for (let col = 0, i = row * cols; col < cols; col++, i++) {
        const error = source[i]! - written[i]!;
        sum += (columns === undefined ? 1 : importance![columns + col]!) * error * error;
      }
    }
  }
  return sum;
}

async function decode(
  pool: TranscodePool,
  task: Parameters<TranscodePool['transcode']>[0],
  stored: Uint8Array,
  values: Float32Array,
): Promise<void> {
  const target = new Uint8Array(values.buffer);
  await pool.transcode(
    task,
    (into, { sourceOffset }) => into.set(stored.subarray(sourceOffset, sourceOffset + into.length)),
    (out, { targetOffset }) => target.set(out, targetOffset),
  );
}
