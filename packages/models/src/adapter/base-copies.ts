// PEFT stores the embedding and the output matrix beside a pair for them, as `base_layer`: copies of the model's, unless they were
// trained too or got rows for new tokens. The former say nothing, the latter would not be applied.
import { codecOf } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { placeOf } from './check-pair.ts';

const chunkBytes = 4 * 2 ** 20;

/**
 * What a row may differ by, relative to its length: half precision for plain weights, what few bits leave for quantized ones.
 */
const tolerance = (weight: TensorView): number => (weight.dtype.blockSize === 1 && !weight.packed ? 0.01 : 0.5);

/** @param weight of the model @throws QuernError `adapter-tensor-unexpected` */
export async function checkCopy(copy: TensorView, weight: TensorView): Promise<void> {
  if (copy.shape.join() !== weight.shape.join())
    throw otherThan(copy, `[${copy.shape.join(', ')}], that of the model is [${weight.shape.join(', ')}]`);
  const rows = Math.max(1, Math.floor(chunkBytes / (4 * copy.cols)));
  for (let first = 0; first < copy.rows; first += rows) {
    const count = Math.min(rows, copy.rows - first);
    const [theirs, ours] = await Promise.all([copy, weight].map((view) => valuesOf(view, first, count)));
    for (let row = 0; row < count; row++) {
      const [from, to] = [row * copy.cols, (row + 1) * copy.cols];
      if (distance(theirs!.subarray(from, to), ours!.subarray(from, to)) > tolerance(weight))
        throw otherThan(copy, `row ${first + row} is another`);
    }
  }
}

async function valuesOf(view: TensorView, first: number, count: number): Promise<Float32Array> {
  const bytes = new Uint8Array(count * view.rowBytes);
  await view.readRows(first, count, bytes);
  const values = new Float32Array(count * view.cols);
  codecOf(view.dtype).decode(bytes, values);
  return values;
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  let [difference, length] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    length += b[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / length);
}

const otherThan = (copy: TensorView, how: string): QuernError =>
  new QuernError(
    'adapter-tensor-unexpected',
    `The tensor is no copy of the model's (${how}): it would not be applied.`,
    {
      ...placeOf(copy),
      remedy: 'Give the model that the adapter was trained on, or merge it with PEFT.',
    },
  );
