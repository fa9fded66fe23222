// Every device there is. A new one is one line here and must pass everything in this folder.
import { cpuDevice, type Device, referenceDevice } from '@quern/runtime';

export const devices: Readonly<Record<string, () => Promise<Device>>> = {
  reference: async () => referenceDevice(),
  'cpu, 1 thread': () => cpuDevice({ threads: 1 }),
  'cpu, 2 threads': () => cpuDevice({ threads: 2 }),
  'cpu, 3 threads': () => cpuDevice({ threads: 3 }),
};
