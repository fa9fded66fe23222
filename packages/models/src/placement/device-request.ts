// Which devices a person asks for: the options of every command that runs a model, and what they mean.
//   --device cpu | reference | webgpu | webgpu:<part of the adapter's name> | auto, or several of them separated by commas
// Asked for by name, WebGPU may be an adapter that computes on the CPU (SwiftShader, llvmpipe); `auto` does not take one.
import { QuernError } from '@quern/errors';
import { type SplitMode, splitModes } from './placement.ts';

export interface DeviceSpec {
  readonly kind: 'cpu' | 'reference' | 'webgpu';
  /** Part of the name of a WebGPU adapter. */
  readonly adapter?: string;
}

/** Survives structured clone: it crosses threads. */
export interface DeviceRequest {
  /** `auto`: a GPU if there is one, as far as the model fits, and the CPU for the rest. */
  readonly devices: 'auto' | readonly DeviceSpec[];
  /**
   * How many of the last layers the GPUs take; the CPU takes the others. The output is the last layer, the blocks come
   * before it (llama.cpp's count: 1 is the output alone). Default: all, or with `auto` what fits.
   */
  readonly gpuLayers?: number;
  readonly split?: SplitMode;
  /** Threads of each CPU device. Default: what the machine has. */
  readonly threads?: number;
  /** What each device may hold. Default: its own. */
  readonly memoryBytes?: number;
  /** What quantized weights are multiplied with, on every device that can. Default: 'f32'. */
  readonly activations?: Activations;
}

/** Activations as they are, or rounded to 8 bits per block as llama.cpp does, for integer products: several times as fast. */
export type Activations = (typeof activationTypes)[number];
const activationTypes = ['f32', 'int8'] as const;

/** What a parser makes of `deviceFlags` (flags.ts). */
export interface DeviceOptions {
  readonly device?: string;
  readonly gpuLayers?: string;
  readonly splitMode?: string;
  readonly deviceMemory?: string;
  readonly threads?: string;
  readonly activations?: string;
}

/** @throws QuernError `usage-bad-device`, `usage-bad-number`, `usage-bad-split-mode`, `usage-bad-activations` */
export function readDeviceRequest(options: DeviceOptions): DeviceRequest {
  const { device = 'auto', splitMode } = options;
  const split = splitModes.find((mode) => mode === splitMode);
  if (splitMode !== undefined && !split)
    throw new QuernError(
      'usage-bad-split-mode',
      `--split-mode must be ${splitModes.join(' or ')}, not '${splitMode}'.`,
    );
  const activations = activationTypes.find((type) => type === options.activations);
  if (options.activations !== undefined && !activations)
    throw new QuernError(
      'usage-bad-activations',
      `--activations must be ${activationTypes.join(' or ')}, not '${options.activations}'.`,
    );
  const mebibytes = count('--device-memory', options.deviceMemory, 1, 2 ** 24);
  const devices = device === 'auto' ? 'auto' : device.split(',').map(parseDevice);
  if (split === 'row' && (devices === 'auto' || devices.length === 1))
    throw new QuernError('usage-bad-split-mode', `--split-mode row is for several devices, not ${device} alone.`, {
      remedy: 'Name them, as in --device cpu,cpu, or leave the flag out.',
    });
  return {
    devices,
    gpuLayers: count('--gpu-layers', options.gpuLayers, 0, 2 ** 20),
    split,
    threads: count('--threads', options.threads, 1, 1024),
    memoryBytes: mebibytes && mebibytes * 2 ** 20,
    activations,
  };
}

function parseDevice(text: string): DeviceSpec {
  const [, kind, adapter] = /^(cpu|reference|webgpu)(?::(.+))?$/.exec(text) ?? [];
  if (kind === undefined || (adapter !== undefined && kind !== 'webgpu'))
    throw new QuernError('usage-bad-device', `There is no device '${text}'.`, {
      remedy: 'Give cpu, reference, webgpu or webgpu:<adapter>, several separated by commas, or auto alone.',
    });
  return { kind: kind as DeviceSpec['kind'], ...(adapter !== undefined && { adapter }) };
}

function count(option: string, text: string | undefined, min: number, max: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw new QuernError('usage-bad-number', `${option} must be a number from ${min} to ${max}, not '${text}'.`);
}
