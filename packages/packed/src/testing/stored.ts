// Stored tensors in memory, for tests.
import { dtypeByName } from '@quern/blocks';
import type { StoredTensor } from '../stored-tensor.ts';

export interface MemoryTensor extends StoredTensor {
  /** Bytes read so far. */
  readonly read: { bytes: number };
}

/** @throws Error when the bytes are not those of the shape, or rows are asked for that do not exist */
export function stored(name: string, dtypeName: string, shape: readonly number[], bytes: Uint8Array): MemoryTensor {
  const dtype = dtypeByName(dtypeName);
  const cols = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const rowBytes = cols * dtype.typeSize;
  if (bytes.length !== rows * rowBytes) throw new Error(`${name}: ${bytes.length} bytes for [${shape}]`);
  const read = { bytes: 0 };
  return {
    name,
    dtype,
    shape,
    rows,
    cols,
    rowBytes,
    file: 'model.safetensors',
    offset: 0,
    read,
    async readRows(first, count, into) {
      if (first < 0 || first + count > rows || into.length !== count * rowBytes) {
        throw new Error(`${name}: rows ${first} + ${count} into ${into.length} bytes`);
      }
      read.bytes += into.length;
      into.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    },
  };
}

export const byName = (...tensors: readonly StoredTensor[]): Map<string, StoredTensor> =>
  new Map(tensors.map((tensor) => [tensor.name, tensor]));
