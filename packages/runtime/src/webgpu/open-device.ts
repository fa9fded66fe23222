// Finds an adapter, asks it for all it can, and proves that its driver computes correctly before anybody relies on it.
import { QuernError } from '@quern/errors';
import type { Capabilities } from './capabilities.ts';
import { openGpu } from './gpu.ts';
import { multipliesIntegers, selfTest } from './self-test.ts';
import { BINDING_ALIGNMENT } from './storage.ts';
import { mayHaveVulkan } from './vulkan-loader.ts';
import { type AdapterDescription, WebgpuDevice } from './webgpu-device.ts';

export interface WebgpuDeviceOptions {
  /** In Node: part of the adapter's name (`llvmpipe`, `NVIDIA`). Default: the first one. */
  readonly adapter?: string;
  /** In Node: Dawn's backend (`vulkan`, `metal`, `d3d12`, `null`). `null` compiles shaders and computes nothing. */
  readonly backend?: string;
  /** Accept an adapter that computes on the CPU (SwiftShader, llvmpipe): slower than the cpu device, for tests. */
  readonly software?: boolean;
  /**
   * What meets quantized weights in matmul: activations as they are ('f32', the default), or rounded to 8 bits per block as
   * the CPU device does on request ('int8'). Types without integer products, and plain ones, always meet 'f32', and so do
   * all types where WGSL lacks dot4I8Packed: `device.activations` says which it is.
   */
  readonly activations?: 'f32' | 'int8';
  /** Budget for all tensors together; WebGPU does not say what is free. Default 4 GiB. */
  readonly memoryBytes?: number;
  /** Capabilities to do without, and choices (`teams`, `halfTiles`) made for the device; for tests and faulty drivers. */
  readonly capabilities?: Partial<Capabilities>;
  /** Longest wait for a read, in milliseconds. Default 60000. */
  readonly timeoutMs?: number;
}

/**
 * A GPU as a device.
 * @throws QuernError `webgpu-no-adapter` (nothing found: what was looked for, what to do), `webgpu-not-installed`,
 *   `webgpu-not-loadable`, `webgpu-software-adapter`, `device-bad-option`, `device-self-test`
 */
export async function webgpuDevice(options: WebgpuDeviceOptions = {}): Promise<WebgpuDevice> {
  const { memoryBytes = 2 ** 32, timeoutMs = 60_000, activations = 'f32' } = options;
  if (activations !== 'f32' && activations !== 'int8')
    throw new QuernError('device-bad-option', `activations is ${activations}, expected f32 or int8.`);
  for (const [name, value] of Object.entries({ memoryBytes, timeoutMs }))
    if (!(value > 0)) throw new QuernError('device-bad-option', `${name} is ${value}, expected a positive number.`);
  const { backend } = options;
  if ((backend === undefined || backend === 'vulkan') && !(await mayHaveVulkan()))
    throw noAdapter(options, ' It needs libvulkan.so.1, which is not installed.');
  const gpu = await openGpu(flagsOf(options));
  const adapter = await findAdapter(gpu, options);
  const description = describe(adapter);
  if (description.software && !options.software)
    throw new QuernError(
      'webgpu-software-adapter',
      `The only WebGPU adapter, ${description.description || description.architecture}, computes on the CPU.`,
      { remedy: 'Use the cpu device, which is faster, or ask for a software adapter explicitly.' },
    );
  const capabilities = capabilitiesOf(adapter, description, {
    ...options.capabilities,
    integers: activations === 'int8' && gpu.wgslLanguageFeatures.has(INTEGER_DOT),
  });
  const gpuDevice = await openDevice(adapter, capabilities);
  const device = new WebgpuDevice({
    device: gpuDevice,
    adapter: description,
    capabilities,
    limits: { memoryBytes, shardBytes: roundDown(capabilities.maxBindingBytes) },
    timeoutMs,
  });
  if (options.backend === 'null') return device;
  try {
    await proveKernels(device);
    if (device.capabilities.integers && !(await multipliesIntegers(device))) leaveOut(device, { integers: false });
    return device;
  } catch (error) {
    await device.dispose();
    throw error;
  }
}

const INTEGER_DOT = 'packed_4x8_integer_dot_product';

const flagsOf = ({ adapter, backend }: WebgpuDeviceOptions): string[] => [
  ...(adapter ? [`adapter=${adapter}`] : []),
  ...(backend ? [`backend=${backend}`] : []),
];

async function findAdapter(gpu: GPU, options: WebgpuDeviceOptions): Promise<GPUAdapter> {
  let cause: unknown; // Dawn throws when no adapter has the name, and lists those there are
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch((error: unknown) => {
    cause = error;
    return null;
  });
  if (adapter) return adapter;
  throw noAdapter(options, cause instanceof Error ? ` ${cause.message}` : '', cause);
}

function noAdapter({ adapter: name, backend }: WebgpuDeviceOptions, reason: string, cause?: unknown): QuernError {
  const wanted = `${name ? ` called ${name}` : ''}${backend ? ` of backend ${backend}` : ''}`;
  return new QuernError(
    'webgpu-no-adapter',
    `No WebGPU adapter${wanted} was found (${lookedFor()} was looked for).${reason}`,
    {
      remedy: 'Install the graphics driver (on Linux one with Vulkan), or use the cpu device.',
      cause,
    },
  );
}

function lookedFor(): string {
  const platform = globalThis.navigator?.gpu ? 'browser' : process.platform;
  const apis: Readonly<Record<string, string>> = {
    browser: "the browser's adapter",
    darwin: 'Metal',
    win32: 'D3D12 or Vulkan',
  };
  return apis[platform] ?? 'a Vulkan driver';
}

function describe({ info }: GPUAdapter): AdapterDescription {
  const { vendor, architecture, description } = info;
  const cpuDriver = /swiftshader|llvmpipe|lavapipe|warp|basic render/i.test(`${architecture} ${description}`);
  return { vendor, architecture, description, software: cpuDriver || info.isFallbackAdapter };
}

function capabilitiesOf(
  { features, limits }: GPUAdapter,
  { software }: AdapterDescription,
  wanted: Partial<Capabilities> = {},
): Capabilities {
  const has = { f16: features.has('shader-f16'), subgroups: features.has('subgroups'), teams: !software };
  const f16 = has.f16 && wanted.f16 !== false;
  return {
    f16,
    subgroups: has.subgroups && wanted.subgroups !== false,
    teams: wanted.teams ?? has.teams,
    halfTiles: f16 && wanted.halfTiles === true,
    integers: wanted.integers === true,
    maxInvocations: atMost(
      wanted.maxInvocations,
      Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX),
    ),
    workgroupBytes: atMost(wanted.workgroupBytes, limits.maxComputeWorkgroupStorageSize),
    maxBindingBytes: atMost(wanted.maxBindingBytes, Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize)),
  };
}

async function openDevice(adapter: GPUAdapter, { f16, subgroups }: Capabilities): Promise<GPUDevice> {
  const wanted = [f16 && 'shader-f16', subgroups && 'subgroups'].filter((name) => name !== false) as GPUFeatureName[];
  const limits = [
    'maxStorageBufferBindingSize',
    'maxBufferSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupStorageSize',
  ] as const;
  const requiredLimits = Object.fromEntries(limits.map((name) => [name, adapter.limits[name]]));
  return adapter.requestDevice({ requiredFeatures: wanted, requiredLimits }).catch((cause: Error) => {
    throw new QuernError('webgpu-no-adapter', `The WebGPU adapter gives no device: ${cause.message}`, { cause });
  });
}

/** Leaves out, one at a time, what this driver computes wrongly; `device.rejected` says what. */
async function proveKernels(device: WebgpuDevice): Promise<void> {
  if (await selfTest(device)) return;
  const { capabilities } = device;
  const steps = [
    capabilities.teams && capabilities.subgroups && ({ subgroups: false } as const),
    capabilities.teams && ({ teams: false } as const),
  ];
  for (const step of steps) {
    if (!step) continue;
    leaveOut(device, step);
    if (await selfTest(device)) return;
  }
  throw new QuernError('device-self-test', 'This WebGPU driver computes the matmul kernel wrongly.', {
    remedy: 'Update the graphics driver, or use the cpu device.',
  });
}

function leaveOut(device: WebgpuDevice, step: Partial<Capabilities>): void {
  device.restrict({ ...device.capabilities, ...step });
  device.rejected.push(Object.keys(step)[0]!);
}

const atMost = (wanted: number | undefined, possible: number): number => Math.min(wanted ?? possible, possible);

const roundDown = (bytes: number): number => Math.max(1, Math.floor(bytes / BINDING_ALIGNMENT)) * BINDING_ALIGNMENT;
