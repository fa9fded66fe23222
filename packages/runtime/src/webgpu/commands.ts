// The queue: dispatches, copies and fills are recorded into one command encoder and submitted together, by a read or when
// the parameter buffer is full. Parameters of all dispatches go up in one write before the submit.
import type { Faults } from './faults.ts';
import { STAGE_COMPUTE, USAGE_COPY_DST, USAGE_UNIFORM } from './gpu-constants.ts';
import { PARAMS_BYTES } from './shader-source.ts';

/** Dispatches per submit. Drivers that watch for hangs want submits split, and a forward pass has a few hundred. */
const MAX_DISPATCHES = 1024;
/** Of a dimension of a dispatch. */
const MAX_WORKGROUPS = 65535;

export class Commands {
  readonly #device: GPUDevice;
  readonly #faults: Faults;
  readonly #params: DataView<ArrayBuffer>;
  readonly #paramsBuffer: GPUBuffer;
  readonly #paramsGroup: GPUBindGroup;
  readonly paramsLayout: GPUBindGroupLayout;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  /** Recorded since the last submit. */
  #recorded = 0;
  /** Buffers that recorded commands use. */
  readonly #used = new Set<GPUBuffer>();
  #collected: Promise<void> = Promise.resolve();
  /** Submits and dispatches so far. */
  submits = 0;
  dispatches = 0;

  constructor(device: GPUDevice, faults: Faults) {
    this.#device = device;
    this.#faults = faults;
    this.#params = new DataView(new ArrayBuffer(MAX_DISPATCHES * PARAMS_BYTES));
    this.#paramsBuffer = device.createBuffer({
      label: 'params',
      size: this.#params.byteLength,
      usage: USAGE_UNIFORM | USAGE_COPY_DST,
    });
    this.paramsLayout = device.createBindGroupLayout({
      entries: [{ binding: 0, visibility: STAGE_COMPUTE, buffer: { type: 'uniform', hasDynamicOffset: true } }],
    });
    this.#paramsGroup = device.createBindGroup({
      layout: this.paramsLayout,
      entries: [{ binding: 0, resource: { buffer: this.#paramsBuffer, size: PARAMS_BYTES } }],
    });
    faults.watch();
  }

  /**
   * @param writeParams puts this dispatch's parameters at a byte offset of the view
   * @param buffers what the group binds
   */
  dispatch(
    pipeline: GPUComputePipeline,
    group: GPUBindGroup,
    buffers: readonly GPUBuffer[],
    workgroups: number,
    writeParams: (view: DataView, at: number) => void,
  ): void {
    if (this.#recorded === MAX_DISPATCHES) this.flush();
    const at = this.#recorded++ * PARAMS_BYTES;
    this.dispatches++;
    writeParams(this.#params, at);
    this.#pass ??= this.#record().beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, this.#paramsGroup, [at]);
    this.#pass.setBindGroup(1, group);
    const x = Math.min(workgroups, MAX_WORKGROUPS);
    this.#pass.dispatchWorkgroups(x, Math.ceil(workgroups / x));
    for (const buffer of buffers) this.#used.add(buffer);
  }

  /** Offsets and length are multiples of 4. */
  copy(from: GPUBuffer, fromByte: number, to: GPUBuffer, toByte: number, byteLength: number): void {
    this.#outsidePass().copyBufferToBuffer(from, fromByte, to, toByte, byteLength);
    this.#used.add(from).add(to);
  }

  clear(buffer: GPUBuffer): void {
    this.#outsidePass().clearBuffer(buffer);
    this.#used.add(buffer);
  }

  /** Before the host writes or destroys `buffer`: what has been recorded must not see it. */
  finishWith(buffer: GPUBuffer): void {
    if (this.#used.has(buffer)) this.flush();
  }

  /** Submits what has been recorded. */
  flush(): void {
    if (!this.#encoder) return;
    this.#pass?.end();
    if (this.#recorded > 0)
      this.#device.queue.writeBuffer(this.#paramsBuffer, 0, this.#params.buffer, 0, this.#recorded * PARAMS_BYTES);
    this.#device.queue.submit([this.#encoder.finish()]);
    this.submits++;
    this.#encoder = this.#pass = undefined;
    this.#recorded = 0;
    this.#used.clear();
    this.#collected = Promise.all([this.#collected, this.#faults.collect()]).then(() => {});
    this.#faults.watch();
  }

  /** Resolves when the errors of everything submitted are known to `faults`. */
  get collected(): Promise<void> {
    return this.#collected;
  }

  destroy(): void {
    this.#paramsBuffer.destroy();
  }

  #record(): GPUCommandEncoder {
    return (this.#encoder ??= this.#device.createCommandEncoder());
  }

  #outsidePass(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = undefined;
    return this.#record();
  }
}
