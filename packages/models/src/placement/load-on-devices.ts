// From a model on disk and a request for devices to a model that runs: what every command does.
import { type ModelView, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Device } from '@quern/runtime';
import type { Model } from '../forward/model.ts';
import { type LoadOptions, loadModel } from '../load-model.ts';
import type { DeviceRequest } from './device-request.ts';
import { type OpenedDevices, openDevices } from './open-devices.ts';
import { describePlacement } from './placement.ts';

export interface ModelOnDevices {
  readonly model: Model;
  readonly devices: readonly Device[];
  /** Where the model is and why, in one line. */
  readonly summary: string;
  /** Frees model and devices. */
  dispose(): Promise<void>;
}

/**
 * Opens the devices and loads the model. With `auto`, a GPU that turns out not to compute with the model's types is left.
 * @throws QuernError those of `openDevices` and `loadModel`
 */
export async function loadOnDevices(
  model: ModelView,
  request: DeviceRequest,
  options: Omit<LoadOptions, 'layers' | 'split'>,
): Promise<ModelOnDevices> {
  // Devices are chosen by the sizes of the forms that will be loaded.
  const view = await withProvedForms(model);
  const opened = await openDevices(view, request, options);
  try {
    return await load(view, opened, options, []);
  } catch (error) {
    await opened.dispose();
    const other = request.devices === 'auto' && opened.devices.some(({ name }) => name === 'webgpu');
    if (!other || !(error instanceof QuernError) || !causes.includes(error.code)) throw error;
    const reason = `no GPU is used: ${error.message}`;
    const { gpuLayers: _, ...rest } = request;
    const cpu = await openDevices(view, { ...rest, devices: [{ kind: 'cpu' }] }, options);
    try {
      return await load(view, cpu, options, [reason]);
    } catch (second) {
      await cpu.dispose();
      throw second;
    }
  }
}

/** Of a GPU that another device may do without. */
const causes: readonly string[] = [
  'weight-dtype-unsupported',
  'cache-type-unsupported',
  'device-out-of-memory',
  'device-binding-limit',
];

async function load(
  view: ModelView,
  { devices, options: placement, notes, dispose }: OpenedDevices,
  options: Omit<LoadOptions, 'layers' | 'split'>,
  reasons: readonly string[],
): Promise<ModelOnDevices> {
  const model = await loadModel(view, devices, { ...options, ...placement });
  return {
    model,
    devices,
    summary: [describePlacement(model.placement), ...notes, ...reasons].join('; '),
    dispose,
  };
}
