// From the value of a pickle to named tensors, each proved to lie in its storage.
import { type DType, rowBytes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { PickleDict, type PickleValue, type StorageRef, TensorRef } from '../pickle/values.ts';
import { extentOf, isContiguous, stridedSource } from './strided-source.ts';

/** Where one tensor's bytes lie; the same shape as a tensor of a safetensors file. */
export interface TorchTensor {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, innermost dimension last; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Byte range in `source`, row-major without gaps. */
  readonly begin: number;
  readonly end: number;
  /** The file; for deflated entries and tensors with strides a source that makes the bytes when they are read. */
  readonly source: Source;
}

/** The bytes of a storage. */
export interface StorageBytes {
  readonly source: Source;
  readonly begin: number;
  readonly bytes: number;
}

/** Whatever is no tensor in a dict of tensors is listed, not read. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  readonly others: readonly string[];
}

/** Keys under which training scripts keep the weights among other things. */
const wrappers = ['state_dict', 'model_state_dict', 'model', 'module'];

/**
 * @param storageOf the bytes of a storage, or undefined when the file has none of this key
 * @throws QuernError `torch-no-tensors`, `torch-bad-tensor`, `torch-missing-storage`, `torch-truncated`
 */
export function stateDict(
  value: PickleValue,
  storageOf: (storage: StorageRef) => StorageBytes | undefined,
  file: string,
): StateDict {
  const dict = dictOfTensors(value);
  if (!dict)
    throw new QuernError('torch-no-tensors', 'The file holds no dict of tensors.', {
      file,
      remedy: 'Save model.state_dict() instead of the model.',
    });
  const tensors = new Map<string, TorchTensor>();
  const others: string[] = [];
  for (const [name, item] of dict.entries) {
    if (typeof name === 'string' && item instanceof TensorRef) tensors.set(name, place(name, item, storageOf, file));
    else others.push(String(name));
  }
  return { tensors, others };
}

function dictOfTensors(value: PickleValue): PickleDict | undefined {
  if (!(value instanceof PickleDict)) return undefined;
  if ([...value.entries.values()].some((item) => item instanceof TensorRef)) return value;
  const inner = wrappers.map((key) => value.entries.get(key)).find((item) => item instanceof PickleDict);
  const holds = inner && [...inner.entries.values()].some((item) => item instanceof TensorRef);
  return holds ? inner : undefined;
}

function place(
  name: string,
  tensor: TensorRef,
  storageOf: (storage: StorageRef) => StorageBytes | undefined,
  file: string,
): TorchTensor {
  const { storage, dtype, shape, strides } = tensor;
  const fail = (code: string, why: string): never => {
    throw new QuernError(code, why, { file, tensor: name, offset: tensor.at });
  };
  const stored = storageOf(storage);
  if (!stored) return fail('torch-missing-storage', `The file has no storage ${JSON.stringify(storage.key)}.`);
  const size = dtype.typeSize;
  const storageBytes = storage.length * (storage.dtype?.typeSize ?? 1);
  if (stored.bytes < storageBytes)
    return fail('torch-truncated', `Storage ${storage.key} has ${stored.bytes} of ${storageBytes} bytes.`);
  const numbers = shape.includes(0) ? 0 : shape.reduce((product, dim) => product * dim, 1);
  const end = (tensor.offset + extentOf(shape, strides)) * size;
  if (!Number.isSafeInteger(numbers * size) || !Number.isSafeInteger(end) || end > storageBytes)
    return fail('torch-bad-tensor', `A tensor of [${shape}] with strides [${strides}] reaches beyond its storage.`);
  const begin = stored.begin + tensor.offset * size;
  const bytes = numbers * rowBytes(dtype, 1);
  if (isContiguous(shape, strides)) return { name, dtype, shape, source: stored.source, begin, end: begin + bytes };
  const source = stridedSource({ source: stored.source, begin, size, shape, strides }, name);
  return { name, dtype, shape, source, begin: 0, end: bytes };
}
