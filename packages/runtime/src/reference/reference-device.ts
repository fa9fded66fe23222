// The reference device: every op in plain TypeScript with f64 sums. Slow, and the truth the other devices answer to.
import type { Device } from '../device.ts';
import { type Span, TensorTable } from '../memory/tensor-table.ts';
import { prepareCall } from '../ops/call.ts';
import { runReference } from './run-reference.ts';

export interface ReferenceDeviceOptions {
  /** Budget for all tensors together; default 4 GiB. */
  memoryBytes?: number;
}

/** A device without threads or WASM; all work happens inside `run`. */
export function referenceDevice({ memoryBytes = 2 ** 32 }: ReferenceDeviceOptions = {}): Device {
  const table = new TensorTable<ArrayBuffer>('reference', memoryBytes, {
    allocate: newBuffer,
    release: () => {},
  });
  const bytesOf = ({ storage, byteOffset, byteLength }: Span<ArrayBuffer>) =>
    new Uint8Array(storage, byteOffset, byteLength);
  const i32 = ({ storage, byteOffset, byteLength }: Span<ArrayBuffer>) =>
    new Int32Array(storage, byteOffset, byteLength / 4);
  return {
    name: 'reference',
    limits: { memoryBytes, threads: 1 },
    alloc: (dtype, shape, label) => table.alloc(dtype, shape, label),
    view: (tensor, shape, byteOffset) => table.view(tensor, shape, byteOffset),
    free: (tensor) => table.free(tensor),
    write: (tensor, bytes, byteOffset = 0) =>
      bytesOf(table.span(tensor, 'write', byteOffset, bytes.byteLength)).set(bytes),
    read: async (tensor, byteOffset, byteLength) => bytesOf(table.span(tensor, 'read', byteOffset, byteLength)).slice(),
    run: (name, inputs, output, params) => runReference(prepareCall(table, name, inputs, output, params, i32), bytesOf),
    sync: async () => {},
    dispose: async () => {},
  };
}

function newBuffer(byteLength: number): ArrayBuffer | undefined {
  try {
    return new ArrayBuffer(byteLength);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
