// The weights of one block: F32 on the host, where they are scaled, clipped and quantized, and F32 on the device, where
// they are multiplied. Written to the device they may stand for something else for a while; `restore` brings them back.
import { codecOf, hasCodec } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';

export interface HostWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Matrices in a stack of experts; 1 otherwise. */
  readonly experts: number;
  /** Of one matrix; 1 for a vector. */
  readonly rows: number;
  readonly cols: number;
  readonly values: Float32Array;
}

const chunkBytes = 4 * 2 ** 20;

/** Bytes that the weights of a block take in F32. */
export const blockBytes = (view: ModelView, block: number): number =>
  blockTensors(view, block).reduce((sum, { rows, cols }) => sum + 4 * rows * cols, 0);

export const blockTensors = (view: ModelView, block: number): TensorView[] =>
  [...view.tensors.values()].filter(({ name }) => name.startsWith(`blk.${block}.`));

export class LayerWeights {
  readonly device: Device;
  readonly host: ReadonlyMap<string, HostWeight>;
  readonly onDevice: ReadonlyMap<string, Tensor>;

  private constructor(device: Device, host: Map<string, HostWeight>, onDevice: Map<string, Tensor>) {
    this.device = device;
    this.host = host;
    this.onDevice = onDevice;
  }

  /** @throws QuernError `quantize-non-finite` naming the tensor, `weight-dtype-unsupported`, `device-out-of-memory` */
  static async load(view: ModelView, block: number, device: Device): Promise<LayerWeights> {
    const host = new Map<string, HostWeight>();
    const onDevice = new Map<string, Tensor>();
    const layer = new LayerWeights(device, host, onDevice);
    try {
      for (const tensor of blockTensors(view, block)) {
        const { name, shape, cols } = tensor;
        const experts = shape.length > 2 ? shape[0]! : 1;
        const values = await readFloats(tensor);
        host.set(name, { name, shape, experts, rows: tensor.rows / experts, cols, values });
        onDevice.set(name, device.alloc('F32', shape, name));
        layer.restore(name);
      }
    } catch (error) {
      layer.dispose();
      throw error;
    }
    return layer;
  }

  get(name: string): HostWeight {
    return this.host.get(name)!;
  }

  /** Puts other values than the host's in a weight's place on the device. */
  write(name: string, values: Float32Array, from = 0): void {
    this.device.write(this.onDevice.get(name)!, bytesOf(values), 4 * from);
  }

  restore(name: string): void {
    this.write(name, this.get(name).values);
  }

  dispose(): void {
    for (const tensor of this.onDevice.values()) this.device.free(tensor);
  }
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export const floatsOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Float32Array =>
  new Float32Array(buffer, byteOffset, byteLength / 4);

/** Values of a tensor, all unless a range of rows is given, decoded piece by piece. */
export async function readFloats(tensor: TensorView, first = 0, rows = tensor.rows): Promise<Float32Array> {
  const { cols, rowBytes, dtype, name, file, offset } = tensor;
  if (!hasCodec(dtype))
    throw new QuernError('weight-dtype-unsupported', `${dtype.name} cannot be decoded.`, {
      file,
      tensor: name,
      offset,
    });
  const values = new Float32Array(rows * cols);
  const step = Math.min(rows, Math.max(1, Math.floor(chunkBytes / rowBytes)));
  const bytes = new Uint8Array(step * rowBytes);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const part = bytes.subarray(0, count * rowBytes);
    await tensor.readRows(first + row, count, part);
    codecOf(dtype).decode(part, values.subarray(row * cols, (row + count) * cols));
  }
  requireFinite(values, `Weights of the checkpoint are NaN or infinite.`, { file, tensor: name, offset });
  return values;
}

/** @throws QuernError `quantize-non-finite` */
export function requireFinite(
  values: Float32Array,
  message: string,
  place: { file?: string; tensor: string; offset?: number },
): void {
  let zero = 0;
  for (let i = 0; i < values.length; i++) zero += values[i]! * 0;
  if (zero === 0) return;
  const remedy = 'Use a checkpoint whose own forward pass gives numbers.';
  throw new QuernError('quantize-non-finite', message, { ...place, remedy });
}
