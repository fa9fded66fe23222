// Every device there is. A new one is one line here and must pass everything in this folder.
import { cpuDevice, type Device, referenceDevice, webgpuDevice } from '@quern/runtime';
import { useSwiftShader } from './software-gpu.ts';

export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => referenceDevice(),
  'cpu, 1 thread': () => cpuDevice({ threads: 1 }),
  'cpu, 2 threads': () => cpuDevice({ threads: 2 }),
  'cpu, 3 threads': () => cpuDevice({ threads: 3 }),
};

/** Apart from the others, since a software driver is too slow for every case; webgpu.test.ts says why when it is missing. */
export const webgpuDevices: Readonly<Record<string, (options?: { memoryBytes: number }) => Promise<Device>>> =
  useSwiftShader() ? {} : { 'webgpu on SwiftShader': (options) => webgpuDevice({ software: true, ...options }) };
