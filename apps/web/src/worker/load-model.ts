// The best device that this browser has for this model: the steps are tried from the top, each reason to go on is
// reported, and what is wrong with the model itself ends the descent at once.
import type { ModelView } from '@quern/checkpoint';
import { type LoadedCore, loadCore } from '@quern/engine';
import { QuernError } from '@quern/errors';
import { type CpuDevice, cpuDevice, type Device, referenceDevice, webgpuDevice } from '@quern/runtime';
import { type DeviceStep, deviceSteps, type LoadRequest } from '../protocol.ts';

export interface LoadReports {
  /** A step is done: with an error, left; without, taken. */
  onTried(step: DeviceStep, refused?: QuernError): void;
  onProgress(doneBytes: number, totalBytes: number): void;
}

export interface ModelOnDevice extends LoadedCore {
  readonly step: DeviceStep;
  readonly deviceDetail: string;
}

/** @throws QuernError of the model, or of the last step when all were left */
export async function loadModelOnBestDevice(
  view: ModelView,
  request: LoadRequest,
  reports: LoadReports,
): Promise<ModelOnDevice> {
  const steps = request.device === 'auto' ? deviceSteps : [request.device];
  let last: QuernError | undefined;
  for (const step of steps) {
    try {
      const loaded = await tryStep(step, view, request, reports);
      reports.onTried(step);
      return loaded;
    } catch (error) {
      if (!(error instanceof QuernError) || !isDeviceFault(error)) throw error;
      reports.onTried(step, error);
      last = error;
    }
  }
  throw last!;
}

/** What another device may do better. */
const isDeviceFault = ({ code }: QuernError): boolean =>
  /^(device|webgpu)-/.test(code) || ['model-too-large', 'weight-dtype-unsupported', 'op-without-kernel'].includes(code);

async function tryStep(
  step: DeviceStep,
  view: ModelView,
  request: LoadRequest,
  { onProgress }: LoadReports,
): Promise<ModelOnDevice> {
  const { device, detail } = await openers[step](request);
  try {
    const loaded = await loadCore(view, device, { contextTokens: request.contextTokens, maxSequences: 1 }, onProgress);
    if (step === 'webgpu') await compileKernels(loaded);
    return { ...loaded, step, deviceDetail: detail };
  } catch (error) {
    await device.dispose();
    throw error;
  }
}

/** Drivers compile a kernel when it is first used: here, so that the first reply does not wait for it. */
async function compileKernels({ core, info }: LoadedCore): Promise<void> {
  const promptTokens = Math.min(COMPILING_TOKENS, info.contextTokens - 2);
  if (promptTokens < 1) return;
  core.submit(new Int32Array(promptTokens), { maxTokens: 2, sampling: { temperature: 0 } }, () => {});
  while (!core.idle) await core.step();
}

/** Enough for the kernels of long prompts; the second token of the reply takes those of a single token. */
const COMPILING_TOKENS = 40;

interface OpenedDevice {
  readonly device: Device;
  readonly detail: string;
}

const openers: Readonly<Record<DeviceStep, (request: LoadRequest) => Promise<OpenedDevice>>> = {
  async webgpu(request) {
    // A software adapter is slower than WASM: only for those who ask for WebGPU by name.
    const device = await webgpuDevice({ software: request.device === 'webgpu' });
    const { vendor, architecture, description } = device.adapter;
    return {
      device,
      detail: description || [vendor, architecture].filter(Boolean).join(' ') || 'adapter without a name',
    };
  },
  async 'wasm-threads'({ threads = navigator.hardwareConcurrency }) {
    if (threads < 2) throw new QuernError('device-no-threads', 'This machine has one core.');
    return openCpu(threads, `${threads} threads`);
  },
  async wasm() {
    return openCpu(1, '1 thread');
  },
  async javascript() {
    return { device: referenceDevice(), detail: 'no vectors' };
  },
};

/** The most memory that the browser lets the device reserve addresses for: on phones that is less than 4 GiB. */
async function reserveMemory(threads: number): Promise<CpuDevice> {
  // Rounded activations, as under `quern serve`: several times as fast.
  const open = (memoryBytes?: number) => cpuDevice({ threads, memoryBytes, activations: 'int8' });
  for (const memoryBytes of [undefined, 2 ** 31, 2 ** 30]) {
    try {
      return await open(memoryBytes);
    } catch (error) {
      if (!(error instanceof QuernError) || error.code !== 'device-out-of-memory') throw error;
    }
  }
  return open(2 ** 29);
}

async function openCpu(threads: number, detail: string): Promise<OpenedDevice> {
  const device = await reserveMemory(threads);
  return { device, detail: device.relaxedSimd ? `${detail}, relaxed SIMD` : detail };
}
