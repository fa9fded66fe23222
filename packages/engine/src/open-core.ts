// From a path to an engine that can compute: model, device, core.
import { QuernError } from '@quern/errors';
import { openModel } from '@quern/models';
import { cpuDevice, type Device, referenceDevice, webgpuDevice } from '@quern/runtime';
import { type LoadedCore, loadCore } from './load-core.ts';
import type { EngineOptions } from './protocol.ts';

export interface OpenedCore extends Omit<LoadedCore, 'dispose'> {
  dispose(): Promise<void>;
}

/**
 * Opens and loads a model on a device of its own.
 * @throws QuernError `engine-option-invalid` (the device), and those of `openModel` and `loadCore`
 */
export async function openCore(
  options: EngineOptions,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): Promise<OpenedCore> {
  const view = await openModel(options.modelPath);
  const device = await openDevice(options);
  try {
    const { core, info, dispose } = await loadCore(view, device, options, onProgress);
    return {
      core,
      info,
      async dispose() {
        dispose();
        await device.dispose();
      },
    };
  } catch (error) {
    await device.dispose();
    throw error;
  } finally {
    await view.close();
  }
}

function openDevice({ device = 'cpu', threads }: EngineOptions): Device | Promise<Device> {
  if (device === 'reference') return referenceDevice();
  if (device === 'cpu') return cpuDevice({ threads });
  if (device === 'webgpu') return webgpuDevice({ software: true }); // it was asked for by name
  throw new QuernError('engine-option-invalid', `Unknown device '${device}' (known: cpu, webgpu, reference).`);
}
