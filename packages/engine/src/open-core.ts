// From a path to an engine that can compute: model, devices, core.
import { loadOnDevices, networkOf, type OpenedAdapters, openAdapters, openModel } from '@quern/models';
import type { EmbeddingQueue } from './embedding/embedding-queue.ts';
import { openEmbeddings } from './embedding/open-embeddings.ts';
import { fingerprintOf } from './fingerprint.ts';
import { coreOf, type LoadedCore, loadSizes, resolveSizes } from './load-core.ts';
import type { EngineOptions } from './protocol.ts';
import type { SlotFolder } from './slot-files.ts';
import { openSpeculation } from './speculation/open-speculation.ts';

export interface OpenedCore extends Omit<LoadedCore, 'dispose'> {
  /** Of a model that makes vectors of texts; its core gets nothing to do. */
  readonly embeddings?: EmbeddingQueue;
  /** Where slots are saved. */
  readonly slotFolder?: SlotFolder;
  /** Frees model and devices. */
  dispose(): Promise<void>;
}

/**
 * Opens and loads a model on devices of its own.
 * @throws QuernError those of `openModel`, `loadCore` and `loadOnDevices`
 */
export async function openCore(
  options: EngineOptions,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
): Promise<OpenedCore> {
  const view = await openModel(options.modelPath, { override: options.override });
  let opened: OpenedAdapters | undefined;
  try {
    opened = await openAdapters(options.adapters ?? [], view);
    const { adapters } = opened;
    const request = { ...options, devices: options.devices ?? [{ kind: 'cpu' } as const] };
    const { output, pooling } = networkOf(view);
    if (options.embeddings || pooling || output.headless)
      return await openEmbeddings(view, options, request, { adapters, onProgress });
    const sizes = resolveSizes(view, options);
    const { speculation } = options;
    const load = { ...loadSizes(sizes, speculation), onProgress };
    const { slotSavePath: path, activations, override } = options;
    const settings = {
      ...{ cacheTypes: sizes.cacheTypes, activations, override },
      adapters: adapters.map(({ adapter }) => adapter),
    };
    const slots = path === undefined ? {} : { slotFolder: { path, fingerprint: await fingerprintOf(view, settings) } };
    const { model, devices, summary, dispose } = await loadOnDevices(view, request, { ...load, adapters });
    if (!speculation) return { ...coreOf(model, devices, sizes, summary, view), ...slots, dispose };
    try {
      const guessing = await openSpeculation(speculation, { model, view, request, load });
      const { core, info } = coreOf(model, devices, sizes, summary, view, guessing.drafter);
      return {
        core,
        ...slots,
        info: { ...info, speculation: { types: speculation.types, summary: guessing.summary } },
        dispose: async () => {
          await guessing.dispose();
          await dispose();
        },
      };
    } catch (error) {
      await dispose();
      throw error;
    }
  } finally {
    await opened?.close();
    await view.close();
  }
}
