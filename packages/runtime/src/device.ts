// The device interface: all that a forward pass needs of a machine. The reference device (plain TypeScript), the CPU
// device (WASM SIMD + threads) and, later, WebGPU implement it; one conformance suite runs over all of them.
import type { OpName, OpParams } from './ops/index.ts';

/** Handle of device memory. Shapes are row-major, innermost LAST. `F32` and `I32` for activations, any dtype for weights. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly byteLength: number;
}

export interface DeviceLimits {
  /** Bytes this device may hold in all. */
  readonly memoryBytes: number;
  readonly threads: number;
  /** Largest part of a tensor that an op sees at a time; undefined when there is no limit. */
  readonly bindingBytes?: number;
}

export interface Device {
  readonly name: string;
  readonly limits: DeviceLimits;
  /** Zeroed memory. @throws QuernError `device-out-of-memory` with the numbers. */
  alloc(dtype: string, shape: readonly number[], label?: string): Tensor;
  /** A smaller or reshaped alias of the first bytes of `tensor` (from `byteOffset`). */
  view(tensor: Tensor, shape: readonly number[], byteOffset?: number): Tensor;
  free(tensor: Tensor): void;
  write(tensor: Tensor, bytes: Uint8Array, byteOffset?: number): void;
  read(tensor: Tensor, byteOffset?: number, byteLength?: number): Promise<Uint8Array>;
  /** Enqueues one op; ops run in order. Results are visible to later ops, and to `read`. */
  run<Name extends OpName>(op: Name, inputs: readonly Tensor[], output: Tensor, params: OpParams[Name]): void;
  sync(): Promise<void>;
  dispose(): Promise<void>;
}
