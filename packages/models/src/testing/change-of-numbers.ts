// Test support: tensors whose elements are their own numbers, and places for changes of them.
import { dtypeByName } from '@quern/blocks';
import { contiguousTensor, type TensorView } from '@quern/checkpoint';
import { memorySource } from '@quern/source';
import fc from 'fast-check';
import type { ModelNumbers } from '../arch/model-numbers.ts';
import type { Change, Place } from '../change/change.ts';

/** F32 elements 0, 1, 2, … in row-major order. */
export function numbered(shape: readonly number[], values?: (index: number) => number): TensorView {
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float32Array.from({ length: count }, (_, i) => values?.(i) ?? i);
  const source = memorySource(new Uint8Array(data.buffer));
  return contiguousTensor({ name: 't', dtype: dtypeByName('F32')!, shape, source, begin: 0 });
}

/** Elements of rows `from…to`; of all rows when not given. */
export async function elements(tensor: TensorView, from = 0, to = tensor.rows): Promise<number[]> {
  const bytes = new Uint8Array((to - from) * tensor.rowBytes);
  await tensor.readRows(from, to - from, bytes);
  return [...new Float32Array(bytes.buffer)];
}

export const placeWith = (sizes: Record<string, number>): Place => ({ numbers: {} as ModelNumbers, sizes });

/** Any range of rows gives what the whole has there. */
export async function rangesAreTheWhole(tensor: TensorView): Promise<boolean> {
  const whole = await elements(tensor);
  const ranges = fc.tuple(fc.nat(tensor.rows), fc.nat(tensor.rows));
  await fc.assert(
    fc.asyncProperty(ranges, async ([a, b]) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const part = whole.slice(from * tensor.cols, to * tensor.cols);
      return JSON.stringify(await elements(tensor, from, to)) === JSON.stringify(part);
    }),
    { numRuns: 20 },
  );
  return true;
}

/** There and back is the identity, in shape and in every element, and both directions may be read in pieces. */
export async function comesBack(change: Change, ggufShape: readonly number[], place: Place): Promise<boolean> {
  const stored = numbered(change.storedShape(ggufShape, place));
  const there = change.toGguf(stored, place, ggufShape);
  const back = change.toCheckpoint(there, place, stored.shape);
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  if (!same(there.shape, ggufShape) || !same(back.shape, stored.shape)) return false;
  if (!same(await elements(back), await elements(stored))) return false;
  return (await rangesAreTheWhole(there)) && (await rangesAreTheWhole(back));
}
