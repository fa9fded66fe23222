// Adapters that a person names, merged into a model that is open.
import type { ModelView } from '@quern/checkpoint';
import { withAdaptersMerged } from './merged-view.ts';
import { openAdapters } from './open-adapters.ts';
import type { AdapterBase } from './peft-adapter.ts';
import type { AdapterRequest } from './read-adapters.ts';

export interface MergedModel<View> {
  readonly view: View;
  /** Closes the adapters; the model is the caller's. */
  close(): Promise<void>;
}

/** @throws QuernError those of `openAdapters` and `withAdaptersMerged` */
export async function openMerged<View extends ModelView & AdapterBase>(
  view: View,
  requests: readonly AdapterRequest[],
): Promise<MergedModel<View>> {
  const { adapters, close } = await openAdapters(requests, view);
  try {
    return { view: withAdaptersMerged(view, adapters), close };
  } catch (error) {
    await close();
    throw error;
  }
}
