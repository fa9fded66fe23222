// What a pickle can build here: plain values, and descriptions of storages and tensors. Nothing has behaviour.
import type { DType } from '@quern/blocks';

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | PickleValue[]
  | PickleDict
  | PickleGlobal
  | StorageRef
  | TensorRef;

/** dict or OrderedDict, in order. */
export class PickleDict {
  readonly entries = new Map<PickleValue, PickleValue>();
}

/** What `GLOBAL` pushed: an allowed name, never the thing itself. */
export class PickleGlobal {
  /** `torch._utils _rebuild_tensor_v2` */
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A storage that tensors are views of: numbers one after the other, by the key it has in the file. */
export class StorageRef {
  readonly key: string;
  /** Undefined for an untyped storage: bytes. */
  readonly dtype: DType | undefined;
  /** Numbers, or bytes of an untyped storage. */
  readonly length: number;
  constructor(key: string, dtype: DType | undefined, length: number) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
  }
}

/** A strided view of a storage. Offset, shape and strides count numbers. */
export class TensorRef {
  readonly storage: StorageRef;
  readonly dtype: DType;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Where in the file it was described, for error messages. */
  readonly at: number;
  constructor(fields: {
    storage: StorageRef;
    dtype: DType;
    offset: number;
    shape: readonly number[];
    strides: readonly number[];
    at: number;
  }) {
    this.storage = fields.storage;
    this.dtype = fields.dtype;
    this.offset = fields.offset;
    this.shape = fields.shape;
    this.strides = fields.strides;
    this.at = fields.at;
  }
}
