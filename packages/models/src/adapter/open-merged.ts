// Adapters that a person names, merged into a model that is open.
import type { ModelView } from '@quern/checkpoint';
import type { ScaledAdapter } from './lora.ts';
import { withAdaptersMerged } from './merged-view.ts';
import { openAdapter } from './open-adapter.ts';
import type { AdapterBase } from './peft-adapter.ts';
import type { AdapterRequest } from './read-adapters.ts';

export interface MergedModel<View> {
  readonly view: View;
  /** Closes the adapters; the model is the caller's. */
  close(): Promise<void>;
}

/** @throws QuernError those of `openAdapter` and `withAdaptersMerged` */
export async function openMerged<View extends ModelView & AdapterBase>(
  view: View,
  requests: readonly AdapterRequest[],
): Promise<MergedModel<View>> {
  const adapters: ScaledAdapter[] = [];
  const close = async (): Promise<void> => {
    for (const { adapter } of adapters) await adapter.close();
  };
  try {
    for (const { path, scale } of requests) adapters.push({ adapter: await openAdapter(path, view), scale });
    return { view: withAdaptersMerged(view, adapters), close };
  } catch (error) {
    await close();
    throw error;
  }
}
