// Moves stored rows to the device in bounded pieces.
import { codecOf, dtypeByName, hasCodec } from '@quern/blocks';
import type { TensorView } from '@quern/checkpoint';

import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';
import { isMatrix } from './network-tensors.ts';

/** Bytes of host memory that a load passes through (a row may be longer). */
const CHUNK_BYTES = 4 * 2 ** 20;

/** Matrices arrive as stored, vectors as F32. `onBytes` is called with the stored bytes of every piece. */
export async function loadTensor(device: Device, view: TensorView, onBytes: (bytes: number) => void): Promise<Tensor> {
  if (!isMatrix(view)) {
    const values = await readVector(view);
    const tensor = device.alloc('F32', [values.length], view.name);
    device.write(tensor, new Uint8Array(values.buffer));
    onBytes(view.rowBytes);
    return tensor;
  }
  const tensor = device.alloc(view.dtype.name, view.shape, view.name);
  const chunkRows = Math.min(view.rows, Math.max(1, Math.floor(CHUNK_BYTES / view.rowBytes)));
  const chunk = new Uint8Array(chunkRows * view.rowBytes);
  try {
    for (let row = 0; row < view.rows; row += chunkRows) {
      const rows = Math.min(chunkRows, view.rows - row);
      const bytes = chunk.subarray(0, rows * view.rowBytes);
      await view.readRows(row, rows, bytes);
      device.write(tensor, bytes, row * view.rowBytes);
      onBytes(bytes.length);
    }
  } catch (error) {
    device.free(tensor);
    throw error;
  }
  return tensor;
}

/** A whole vector, decoded. @throws QuernError `weight-dtype-unsupported` */
export async function readVector(view: TensorView): Promise<Float32Array> {
  const bytes = new Uint8Array(view.rowBytes);
  await view.readRows(0, 1, bytes);
  if (!hasCodec(view.dtype)) throw unsupported(view, 'vectors');
  const values = new Float32Array(view.cols);
  codecOf(view.dtype).decode(bytes, values);
  return values;
}

/**
 * Proves with a one-row product that the device computes with every stored dtype, before anything large is read.
 * @throws QuernError `weight-dtype-unsupported` naming the first such tensor and its dtype
 */
export async function requireWeightDtypes(device: Device, matrices: readonly TensorView[]): Promise<void> {
  const firstOf = new Map(matrices.map((view) => [view.dtype.name, view] as const).reverse());
  for (const [dtype, view] of firstOf) {
    const cols = Math.max(32, dtypeByName(dtype).blockSize);
    const tensors: Tensor[] = [];
    const alloc = (type: string, shape: number[]): Tensor => {
      const tensor = device.alloc(type, shape, 'dtype probe');
      tensors.push(tensor);
      return tensor;
    };
    try {
      const product = alloc('F32', [1, 1]);
      device.run('matmul', [alloc('F32', [1, cols]), alloc(dtype, [1, cols])], product, {});
      await device.read(product);
    } catch (cause) {
      throw unsupported(view, `weights of the ${device.name} device`, cause);
    } finally {
      for (const tensor of tensors) device.free(tensor);
    }
  }
}

const unsupported = (view: TensorView, what: string, cause?: unknown): QuernError =>
  new QuernError('weight-dtype-unsupported', `${view.dtype.name} is not supported for ${what}.`, {
    file: view.file,
    tensor: view.name,
    offset: view.offset,
    remedy: 'Convert or quantize the model to a supported type first.',
    cause,
  });
