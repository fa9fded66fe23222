// A strided view of a storage as a source of its numbers in row-major order, as if `contiguous()` had been called before
// saving. A number at (i, j, …) lies offset + i·stride₀ + j·stride₁ + … numbers into the storage (torch/csrc/utils).
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';

export interface StridedView {
  readonly source: Source;
  /** First byte of the view in `source`, the view's offset included. */
  readonly begin: number;
  /** Bytes per number. */
  readonly size: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

// Transposed weights are read through a window of the storage; the output matrix of a large model has some 2 GiB, but
// nobody transposes that.
const maxWindowBytes = 2 ** 28;

/** Row-major without gaps; strides of dimensions of size 1 do not matter, nor any of an empty tensor. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let wanted = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== wanted) return false;
    wanted *= shape[i]!;
  }
  return true;
}

/** How many numbers a view reaches over, from its first to behind its last. */
export const extentOf = (shape: readonly number[], strides: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, 1);

/**
 * Reads whole numbers only.
 * @throws QuernError (when read) `torch-strided-too-large`, `source-out-of-range`, and those of the source
 */
export function stridedSource(view: StridedView, tensor: string): Source {
  const { source, size, shape } = view;
  const numbers = shape.reduce((product, dim) => product * dim, 1);
  const cols = shape.at(-1) ?? 1;
  const readInto = async (target: Uint8Array, offset: number): Promise<void> => {
    if (offset % size !== 0 || target.length % size !== 0 || offset < 0 || offset + target.length > numbers * size)
      throw new QuernError('source-out-of-range', `Wanted ${target.length} bytes of a strided tensor.`, {
        file: source.name,
        tensor,
        offset,
      });
    // Row by row: a piece may begin and end within one.
    for (let done = 0; done < target.length; ) {
      const index = (offset + done) / size;
      const count = Math.min(cols - (index % cols), (target.length - done) / size);
      const wholeRows = index % cols === 0 ? Math.floor((target.length - done) / size / cols) : 0;
      const bytes = target.subarray(done, done + (wholeRows > 0 ? wholeRows * cols : count) * size);
      if (wholeRows > 0) await readRows(view, tensor, index / cols, wholeRows, bytes);
      else await gather(view, tensor, [index], count, bytes);
      done += bytes.length;
    }
  };
  return {
    name: source.name,
    size: numbers * size,
    readInto,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    close: async () => {},
  };
}

async function readRows(view: StridedView, tensor: string, row: number, rows: number, into: Uint8Array): Promise<void> {
  const cols = view.shape.at(-1) ?? 1;
  const firsts = Array.from({ length: rows }, (_, i) => (row + i) * cols);
  await gather(view, tensor, firsts, cols, into);
}

/** Runs of `count` numbers along the last dimension, each from one of `firsts` (row-major numbers of its first). */
async function gather(
  { source, begin, size, shape, strides }: StridedView,
  tensor: string,
  firsts: readonly number[],
  count: number,
  into: Uint8Array,
): Promise<void> {
  const places = firsts.map((first) => placeOf(first, shape, strides));
  const step = strides.at(-1) ?? 1;
  const runBytes = count * size;
  if (step === 1) {
    for (const [i, place] of places.entries())
      await source.readInto(into.subarray(i * runBytes, (i + 1) * runBytes), begin + place * size);
    return;
  }
  const from = Math.min(...places);
  const windowBytes = (Math.max(...places) + (count - 1) * step + 1 - from) * size;
  if (windowBytes > maxWindowBytes)
    throw new QuernError(
      'torch-strided-too-large',
      `Its numbers lie ${step} apart, ${windowBytes} bytes for ${firsts.length} rows.`,
      { file: source.name, tensor, offset: begin, remedy: 'Call contiguous() on it and save the checkpoint again.' },
    );
  const window = await source.read(begin + from * size, windowBytes);
  let at = 0;
  for (const place of places) {
    for (let i = 0; i < count; i++) {
      const number = (place - from + i * step) * size;
      for (let byte = 0; byte < size; byte++) into[at++] = window[number + byte]!;
    }
  }
}

function placeOf(index: number, shape: readonly number[], strides: readonly number[]): number {
  let rest = index;
  let place = 0;
  for (let i = shape.length - 1; i >= 0; i--) {
    place += (rest % shape[i]!) * strides[i]!;
    rest = Math.floor(rest / shape[i]!);
  }
  return place;
}
