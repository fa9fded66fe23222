// The WebGPU device. Tensors are buffers, ops are dispatches recorded by `run`; a read submits all of them at once and is
// the only wait. How an adapter is found and which capabilities it has is open-device.ts's part.
import { codecOf, dtypeByName, wgslDecoder, wgslEncoder, wgslIntegers, wgslTable, wgslTypes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Device, DeviceLimits, Tensor } from '../device.ts';
import { type Span, TensorTable } from '../memory/tensor-table.ts';
import { type CheckedCall, prepareCall } from '../ops/call.ts';
import type { OpName, OpParams } from '../ops/index.ts';
import type { Capabilities } from './capabilities.ts';
import { Commands } from './commands.ts';
import { EdgeWriter } from './edge-writer.ts';
import { Faults } from './faults.ts';
import type { Dispatch, WgslCall } from './kernel.ts';
import { Launcher } from './launcher.ts';
import { Readback } from './readback.ts';
import { BufferPool, type Storage, type StorageLimits } from './storage.ts';
import type { StoredType } from './stored-type.ts';
import { partsOf, rangesOf } from './windows.ts';

/** Bytes of queued writes after which they are handed to the driver, so that its staging memory stays small. */
const WRITES_PER_SUBMIT = 64 * 2 ** 20;

/** Who computes, as the adapter says. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** A driver that computes on the CPU. */
  readonly software: boolean;
}

export interface Counts {
  readonly submits: number;
  readonly dispatches: number;
  readonly readbacks: number;
}

export interface WebgpuParts {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  readonly capabilities: Capabilities;
  readonly limits: StorageLimits;
  readonly timeoutMs: number;
}

export class WebgpuDevice implements Device {
  readonly name = 'webgpu';
  readonly limits: DeviceLimits;
  readonly adapter: AdapterDescription;
  /** Capabilities that the adapter offers but computes wrongly with: they are not used. */
  readonly rejected: string[] = [];
  readonly #parts: WebgpuParts;
  readonly #faults: Faults;
  readonly #commands: Commands;
  readonly #pool: BufferPool;
  readonly #table: TensorTable<Storage>;
  readonly #edges: EdgeWriter;
  readonly #readback: Readback;
  #launcher: Launcher;
  #capabilities: Capabilities;
  #queuedBytes = 0;
  #disposed: Promise<void> | undefined;

  constructor(parts: WebgpuParts) {
    const { device, limits, adapter, capabilities } = parts;
    this.#parts = parts;
    this.adapter = adapter;
    this.limits = { memoryBytes: limits.memoryBytes, threads: 1, bindingBytes: limits.shardBytes };
    this.#faults = new Faults(device);
    this.#commands = new Commands(device, this.#faults);
    this.#pool = new BufferPool(device, this.#commands, limits);
    this.#edges = new EdgeWriter(device, this.#commands);
    this.#readback = new Readback(device, this.#commands, this.#faults, parts.timeoutMs);
    this.#capabilities = capabilities;
    this.#launcher = new Launcher(device, this.#commands, this.#pool, capabilities);
    this.#table = new TensorTable('webgpu', limits.memoryBytes, {
      allocate: (byteLength, dtype, shape) => this.#pool.allocate(byteLength, dtype, shape),
      release: (storage) => this.#pool.release(storage),
    });
  }

  /** For profilers, and for code that shares the device. */
  get gpuDevice(): GPUDevice {
    return this.#parts.device;
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  /** What quantized weights meet: the numbers themselves, or what is left of them in 8 bits. */
  get activations(): 'f32' | 'int8' {
    return this.#capabilities.integers ? 'int8' : 'f32';
  }

  /** What has been given to the driver so far: of a token that is generated, one submit and one readback. */
  get counts(): Counts {
    const { submits, dispatches } = this.#commands;
    return { submits, dispatches, readbacks: this.#readback.count };
  }

  /** What tensors hold now, and the buffers kept for the next ones. */
  get memory(): { readonly usedBytes: number; readonly idleBytes: number } {
    return this.#pool.bytes;
  }

  /** Different shaders built so far. */
  get shaders(): number {
    return this.#launcher.shaders;
  }

  /** From the next op on, kernels for these capabilities run. */
  restrict(capabilities: Capabilities): void {
    this.#capabilities = capabilities;
    this.#launcher = new Launcher(this.#parts.device, this.#commands, this.#pool, capabilities);
  }

  alloc(dtype: string, shape: readonly number[], label?: string): Tensor {
    this.#faults.check();
    this.#launcher.forgetPrepared();
    return this.#table.alloc(dtype, shape, label);
  }

  view(tensor: Tensor, shape: readonly number[], byteOffset?: number): Tensor {
    return this.#table.view(tensor, shape, byteOffset);
  }

  free(tensor: Tensor): void {
    this.#table.free(tensor);
  }

  write(tensor: Tensor, bytes: Uint8Array, byteOffset = 0): void {
    this.#faults.check();
    this.#launcher.forgetPrepared();
    const span = this.#table.span(tensor, 'write', byteOffset, bytes.byteLength);
    for (const { buffer, at, from, length } of partsOf(span))
      this.#writeBuffer(buffer, at, bytes.subarray(from, from + length));
    const { indices } = span.storage;
    if (indices) new Uint8Array(indices.buffer).set(bytes, span.byteOffset);
  }

  async read(tensor: Tensor, byteOffset?: number, byteLength?: number): Promise<Uint8Array> {
    this.#faults.check();
    return this.#readback.read(partsOf(this.#table.span(tensor, 'read', byteOffset, byteLength)));
  }

  run<Name extends OpName>(name: Name, inputs: readonly Tensor[], output: Tensor, params: OpParams[Name]): void {
    this.#faults.check();
    const call = prepareCall(this.#table, name, inputs, output, params, indicesOf);
    this.#launcher.launch(call, this.#dispatches(call));
    promiseIndices(call);
  }

  async sync(): Promise<void> {
    this.#faults.check();
    this.#commands.flush();
    await this.#faults.within(this.#parts.device.queue.onSubmittedWorkDone(), 'its work', this.#parts.timeoutMs);
    await this.#commands.collected;
    this.#faults.check();
  }

  /** Waits for what has been submitted, then gives everything back. */
  dispose(): Promise<void> {
    return (this.#disposed ??= this.#dispose());
  }

  async #dispose(): Promise<void> {
    await this.sync().catch(() => {}); // a lost or failed device is given back all the same
    this.#faults.dispose();
    this.#pool.destroy();
    this.#parts.device.destroy(); // and with it every buffer
  }

  #dispatches<Name extends OpName>(call: CheckedCall<Storage, Name>): readonly Dispatch[] {
    const { spec, dims, params, inputs, output, dtypes, outputDtype } = call;
    const { wgsl } = spec;
    if (!wgsl)
      throw new QuernError('op-without-kernel', `${spec.name} has no kernel on the webgpu device.`, {
        remedy: 'Use the cpu device.',
      });
    const place = (operand: string) => spec.inputs.findIndex(({ name }) => name === operand);
    const spanOf = (operand: string) => (operand === spec.output.name ? output : inputs[place(operand)]);
    const kernelCall: WgslCall<Name> = {
      dims,
      params,
      capabilities: this.#capabilities,
      has: (operand) => spanOf(operand) !== undefined,
      weight: (operand) => storedType(operand === spec.output.name ? outputDtype : dtypes[place(operand)]!, spec.name),
      indices: (operand) => indicesOf(spanOf(operand)!),
      aligned: (operand) => spanOf(operand)!.byteOffset % 16 === 0,
      ranges: (rows, operands) =>
        rangesOf(
          spec.name,
          rows,
          operands.flatMap((operand) => spanOf(operand) ?? []),
        ),
    };
    return wgsl(kernelCall);
  }

  #writeBuffer(buffer: GPUBuffer, at: number, bytes: Uint8Array): void {
    this.#commands.finishWith(buffer);
    const head = Math.min(bytes.length, -at & 3);
    const tail = (bytes.length - head) & 3;
    const middle = bytes.length - head - tail;
    if (middle) {
      const { queue } = this.#parts.device;
      queue.writeBuffer(buffer, at + head, bytes.buffer as ArrayBuffer, bytes.byteOffset + head, middle);
      this.#queuedBytes += middle;
      if (this.#queuedBytes > WRITES_PER_SUBMIT) {
        queue.submit([]);
        this.#queuedBytes = 0;
      }
    }
    if (head) this.#edges.write(buffer, at, bytes.subarray(0, head));
    if (tail) this.#edges.write(buffer, at + bytes.length - tail, bytes.subarray(bytes.length - tail));
  }
}

function storedType(name: string, op: string): StoredType {
  const dtype = dtypeByName(name);
  const decoder = wgslDecoder(dtype);
  if (decoder !== undefined)
    return { dtype, decoder, table: wgslTable(dtype), integers: wgslIntegers(dtype), encoder: wgslEncoder(dtype) };
  codecOf(dtype); // says so when the type cannot be decoded at all
  throw new QuernError(
    'dtype-without-kernel',
    `${op}: weights stored as ${name} have no kernel on the webgpu device.`,
    {
      remedy: `Use the cpu device, or one of ${wgslTypes.join(', ')}.`,
    },
  );
}

const indicesOf = ({ storage, byteOffset, byteLength }: Span<Storage>): Int32Array =>
  storage.indices!.subarray(byteOffset / 4, (byteOffset + byteLength) / 4);

/** The host does not know what an op wrote into an I32 tensor, only the bound that the op keeps: it stands for all values. */
function promiseIndices<Name extends OpName>({ spec, dims, output }: CheckedCall<Storage, Name>): void {
  const { below } = spec.output;
  if (below) indicesOf(output).fill(dims[below]! - 1);
}
