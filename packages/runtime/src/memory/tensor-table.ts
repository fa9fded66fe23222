// Device memory as tensors: sizes, budget, views, ownership. Devices differ only in what a Storage is.
import { dtypeByName, rowBytes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Tensor } from '../device.ts';

/** One allocation. Views of it die with it. */
interface Allocation<Storage> {
  readonly owner: object;
  readonly storage: Storage;
  readonly byteLength: number;
  readonly label: string | undefined;
  freed: boolean;
}

class TensorHandle<Storage> implements Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly byteOffset: number;
  readonly allocation: Allocation<Storage>;
  readonly isView: boolean;

  constructor(
    allocation: Allocation<Storage>,
    dtype: string,
    shape: readonly number[],
    byteOffset: number,
    isView: boolean,
  ) {
    this.allocation = allocation;
    this.dtype = dtype;
    this.shape = shape;
    this.byteLength = tensorBytes(dtype, shape);
    this.byteOffset = byteOffset;
    this.isView = isView;
  }
}

/** Where a tensor's bytes are. */
export interface Span<Storage> {
  readonly storage: Storage;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface StorageSource<Storage> {
  /** Zeroed memory for a tensor of this dtype and shape, or undefined when the machine has no more. */
  allocate(byteLength: number, dtype: string, shape: readonly number[]): Storage | undefined;
  release(storage: Storage, byteLength: number): void;
}

export class TensorTable<Storage> {
  readonly #device: string;
  readonly #budgetBytes: number;
  readonly #source: StorageSource<Storage>;
  #usedBytes = 0;

  constructor(device: string, budgetBytes: number, source: StorageSource<Storage>) {
    if (!(budgetBytes > 0)) throw new QuernError('device-bad-option', `${device}: memoryBytes is ${budgetBytes}`);
    this.#device = device;
    this.#budgetBytes = budgetBytes;
    this.#source = source;
  }

  alloc(dtype: string, shape: readonly number[], label?: string): Tensor {
    const byteLength = tensorBytes(dtype, shape, label);
    if (this.#usedBytes + byteLength > this.#budgetBytes) throw this.#outOfMemory(byteLength, label);
    const storage = this.#source.allocate(byteLength, dtype, shape);
    if (storage === undefined) throw this.#outOfMemory(byteLength, label);
    this.#usedBytes += byteLength;
    return new TensorHandle({ owner: this, storage, byteLength, label, freed: false }, dtype, [...shape], 0, false);
  }

  view(tensor: Tensor, shape: readonly number[], byteOffset = 0): Tensor {
    const parent = this.#own(tensor, 'view');
    const { allocation, dtype } = parent;
    const byteLength = tensorBytes(dtype, shape, allocation.label);
    const { typeSize } = dtypeByName(dtype);
    this.#checkRange(parent, byteOffset, byteLength, 'view');
    if (byteOffset % typeSize)
      throw new QuernError(
        'tensor-bad-range',
        `view: offset ${byteOffset} splits a ${dtype} block of ${typeSize} bytes`,
      );
    return new TensorHandle(allocation, dtype, [...shape], parent.byteOffset + byteOffset, true);
  }

  /** Gives the memory back; views of it become invalid. Freeing a view changes nothing: it owns no memory. */
  free(tensor: Tensor): void {
    const { allocation, isView } = this.#own(tensor, 'free');
    if (isView) return;
    allocation.freed = true;
    this.#usedBytes -= allocation.byteLength;
    this.#source.release(allocation.storage, allocation.byteLength);
  }

  /** @param purpose what the caller is doing, for the error: `read`, `matmul: w`. */
  span(tensor: Tensor, purpose: string, byteOffset = 0, byteLength = tensor.byteLength - byteOffset): Span<Storage> {
    const handle = this.#own(tensor, purpose);
    this.#checkRange(handle, byteOffset, byteLength, purpose);
    return { storage: handle.allocation.storage, byteOffset: handle.byteOffset + byteOffset, byteLength };
  }

  #own(tensor: Tensor, purpose: string): TensorHandle<Storage> {
    if (!(tensor instanceof TensorHandle) || tensor.allocation.owner !== this)
      throw new QuernError('tensor-foreign', `${purpose}: the tensor does not belong to this ${this.#device} device`);
    if (tensor.allocation.freed)
      throw new QuernError('tensor-freed', `${purpose}: the tensor has been freed`, {
        tensor: tensor.allocation.label,
      });
    return tensor;
  }

  #checkRange(tensor: TensorHandle<Storage>, byteOffset: number, byteLength: number, purpose: string): void {
    const whole = Number.isSafeInteger(byteOffset) && Number.isSafeInteger(byteLength);
    if (!whole || byteOffset < 0 || byteLength < 0 || byteOffset + byteLength > tensor.byteLength)
      throw new QuernError(
        'tensor-bad-range',
        `${purpose}: bytes ${byteOffset} … ${byteOffset + byteLength} of a tensor of ${tensor.byteLength} bytes`,
        { tensor: tensor.allocation.label },
      );
  }

  #outOfMemory(byteLength: number, label: string | undefined): QuernError {
    return new QuernError(
      'device-out-of-memory',
      `The ${this.#device} device cannot hold ${byteLength} bytes more: ${this.#usedBytes} of ${this.#budgetBytes} bytes are in use.`,
      {
        tensor: label,
        remedy: 'Use a smaller model, a smaller type or a shorter context, or give the device more memory.',
      },
    );
  }
}

/** Bytes of a tensor. @throws QuernError `tensor-bad-shape`, and `dtype-unknown`, `row-not-whole-blocks` of blocks */
export function tensorBytes(dtype: string, shape: readonly number[], label?: string): number {
  const type = dtypeByName(dtype);
  const cols = shape[shape.length - 1];
  const positive = shape.every((size) => Number.isSafeInteger(size) && size > 0);
  const bytes = cols && positive ? shape.slice(0, -1).reduce((sum, size) => sum * size, rowBytes(type, cols)) : 0;
  if (bytes > 0 && Number.isSafeInteger(bytes)) return bytes;
  throw new QuernError('tensor-bad-shape', `A tensor cannot have shape [${shape.join(', ')}].`, { tensor: label });
}
