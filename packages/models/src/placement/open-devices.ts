// Opens the devices that a model shall run on, as many as it needs, and decides what each of them takes.
//
// One CPU device ends at 4 GiB, what a WASM memory can hold; a larger model gets several, each with some of the layers.
import { totalmem } from 'node:os';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { cpuDevice, type Device, referenceDevice, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import type { BatchSizes } from '../forward/batch-limits.ts';
import type { DeviceRequest, DeviceSpec } from './device-request.ts';
import type { PlacementOptions } from './placement.ts';
import { type DeviceCapacity, evenly, plannedModel, planShares } from './plan.ts';
import type { PlannedModel } from './shares.ts';

export interface OpenedDevices {
  /** In the order of the forward pass. */
  readonly devices: readonly Device[];
  /** For `loadModel`. */
  readonly options: PlacementOptions;
  /** What a person should know: which adapter it is, why there is no GPU. */
  readonly notes: readonly string[];
  dispose(): Promise<void>;
}

/**
 * @throws QuernError `placement-no-gpu`, `model-too-large` and others of `planPlacement`, and those of the devices:
 *   `webgpu-no-adapter`, `webgpu-software-adapter`, …
 */
export async function openDevices(view: ModelView, request: DeviceRequest, sizes: BatchSizes): Promise<OpenedDevices> {
  const opening = new Opening(plannedModel(view, sizes), request);
  try {
    const { devices, options } = await opening.choose();
    await opening.disposeExcept(devices);
    return { devices, options, notes: opening.notes, dispose: () => opening.disposeExcept([]) };
  } catch (error) {
    await opening.disposeExcept([]);
    throw error;
  }
}

/** A budget above this is meant for a GPU; a CPU device then takes all that its memory can hold, just below 4 GiB. */
const CPU_BYTES = 2 ** 32 - 2 ** 26;

type Chosen = Pick<OpenedDevices, 'devices' | 'options'>;

class Opening {
  readonly notes: string[] = [];
  readonly #model: PlannedModel;
  readonly #request: DeviceRequest;
  readonly #opened = new Set<Device>();

  constructor(model: PlannedModel, request: DeviceRequest) {
    this.#model = model;
    this.#request = request;
  }

  choose(): Promise<Chosen> {
    const { devices } = this.#request;
    return devices === 'auto' ? this.#chooseByItself() : this.#chooseAmong(devices);
  }

  async disposeExcept(kept: readonly Device[]): Promise<void> {
    const idle = [...this.#opened].filter((device) => !kept.includes(device));
    for (const device of idle) this.#opened.delete(device);
    await Promise.all(idle.map((device) => device.dispose()));
  }

  async #chooseByItself(): Promise<Chosen> {
    const { gpuLayers, split } = this.#request;
    if (gpuLayers === 0) return this.#cpus([], []);
    let gpu: Device;
    try {
      gpu = await this.#open({ kind: 'webgpu' }, { software: false });
    } catch (error) {
      if (!(error instanceof QuernError)) throw error;
      // A person with a GPU may not know that a package is all it takes.
      const reason = error.code === 'webgpu-not-installed' ? error.describe() : error.message;
      this.notes.push(`no GPU is used: ${reason}`);
      return this.#cpus([], []);
    }
    if (gpuLayers !== undefined) return this.#lastLayersOn([gpu], [], gpuLayers);
    const whole: Chosen = { devices: [gpu], options: { split } };
    const reason = this.#whyNot(whole.devices, whole.options);
    if (reason === undefined) return whole;
    this.notes.push(`the GPU does not hold the whole model: ${reason}`);
    return this.#cpus([gpu], ['fill']);
  }

  async #chooseAmong(specs: readonly DeviceSpec[]): Promise<Chosen> {
    const { gpuLayers, split } = this.#request;
    const hasGpu = specs.some(({ kind }) => kind === 'webgpu');
    if (gpuLayers !== undefined && !hasGpu)
      throw new QuernError('placement-no-gpu', `There is no GPU to take ${gpuLayers} layers.`, {
        remedy: 'Ask for one too (--device webgpu or auto), or leave out --gpu-layers.',
      });
    if (specs.length === 1 && specs[0]!.kind === 'cpu') return this.#cpus([], []);
    const opened: Device[] = [];
    for (const spec of specs) opened.push(await this.#open(spec));
    if (split === 'row' || !hasGpu) return { devices: opened, options: { split } };
    const gpus = opened.filter((_, i) => specs[i]!.kind === 'webgpu');
    const others = opened.filter((device) => !gpus.includes(device));
    if (gpuLayers !== undefined) return this.#lastLayersOn(gpus, others, gpuLayers);
    if (others.length === 0) return { devices: gpus, options: {} };
    const devices = [...others, ...gpus];
    return { devices, options: { layers: devices.map(() => 'fill') } };
  }

  /** The GPUs share `gpuLayers` evenly; `others`, or the CPU when there are none, take the rest. */
  async #lastLayersOn(gpus: readonly Device[], others: readonly Device[], gpuLayers: number): Promise<Chosen> {
    if (this.#request.split === 'row')
      throw new QuernError('placement-invalid', 'Split by rows, the GPU takes part of every layer, not some of them.');
    const layerCount = this.#model.network.blocks.length + 1;
    const taken = Math.min(gpuLayers, layerCount);
    const counts = gpus.map((_, i) => evenly(taken, gpus.length, i));
    if (taken === layerCount) return { devices: gpus, options: { layers: counts } };
    if (others.length === 0) return this.#cpus(gpus, counts);
    return { devices: [...others, ...gpus], options: { layers: [...others.map(() => 'fill' as const), ...counts] } };
  }

  /** As few CPU devices as hold what `others` leave. */
  async #cpus(others: readonly Device[], otherLayers: readonly (number | 'fill')[]): Promise<Chosen> {
    const first = await this.#open({ kind: 'cpu' });
    if (others.length === 0 && this.#whyNot([first], {}) === undefined) return { devices: [first], options: {} };
    // More devices than layers hold no more: a layer is not divided.
    const layerCount = this.#model.network.blocks.length + 1;
    const most = Math.max(1, Math.min(layerCount, Math.ceil(hostMemoryBytes() / first.limits.memoryBytes)));
    for (let count = 1; ; count++) {
      const capacities = [...Array<DeviceCapacity>(count).fill(first), ...others];
      const layers = [...Array<'fill'>(count).fill('fill'), ...otherLayers];
      try {
        planShares(this.#model, capacities, { layers });
      } catch (error) {
        if (!isNoRoom(error) || count >= most) throw error;
        continue;
      }
      const cpus = [first];
      while (cpus.length < count) cpus.push(await this.#open({ kind: 'cpu' }));
      return { devices: [...cpus, ...others], options: { layers } };
    }
  }

  /** Undefined when the devices hold the model. */
  #whyNot(devices: readonly Device[], options: PlacementOptions): string | undefined {
    try {
      planShares(this.#model, devices, options);
      return undefined;
    } catch (error) {
      if (isNoRoom(error)) return error.message;
      throw error;
    }
  }

  async #open({ kind, adapter }: DeviceSpec, { software = true } = {}): Promise<Device> {
    const { threads, memoryBytes, activations } = this.#request;
    if (kind === 'reference') return this.#keep(referenceDevice({ memoryBytes }));
    if (kind === 'cpu') {
      const limited = memoryBytes !== undefined && memoryBytes < CPU_BYTES;
      return this.#keep(await cpuDevice({ threads, activations, ...(limited && { memoryBytes }) }));
    }
    const device = await webgpuDevice({ adapter, software, memoryBytes, activations });
    this.notes.push(describeAdapter(device, activations));
    return this.#keep(device);
  }

  #keep(device: Device): Device {
    this.#opened.add(device);
    return device;
  }
}

/** Of what more devices, or the CPU, may hold. */
const isNoRoom = (error: unknown): error is QuernError =>
  error instanceof QuernError && ['model-too-large', 'device-binding-limit'].includes(error.code);

function describeAdapter(device: WebgpuDevice, wanted: DeviceRequest['activations']): string {
  const { adapter, rejected } = device;
  const { description, vendor, architecture, software } = adapter;
  const name = description || `${vendor} ${architecture}`.trim() || 'an adapter without a name';
  const without = rejected.length > 0 ? `, without ${rejected.join(' and ')}, which its driver computes wrongly` : '';
  const exact = wanted === 'int8' && device.activations === 'f32' ? ', with activations of F32 instead of int8' : '';
  return `webgpu is ${name}${software ? ', which computes on the CPU' : ''}${without}${exact}`;
}

/** Of the machine, or of the container that it seems to be. */
function hostMemoryBytes(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}
