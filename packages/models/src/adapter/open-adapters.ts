// Several adapters for one model, opened and closed together.
import type { LoraAdapter, ScaledAdapter } from './lora.ts';
import { openAdapter } from './open-adapter.ts';
import type { AdapterBase } from './peft-adapter.ts';
import type { AdapterRequest } from './read-adapters.ts';

export interface OpenedAdapters {
  readonly adapters: readonly ScaledAdapter[];
  close(): Promise<void>;
}

/** Nothing stays open when one of them fails. @throws QuernError those of `openAdapter` */
export async function openAdapters(requests: readonly AdapterRequest[], base: AdapterBase): Promise<OpenedAdapters> {
  const opened: LoraAdapter[] = [];
  const close = async (): Promise<void> => {
    for (const adapter of opened) await adapter.close();
  };
  try {
    for (const { path } of requests) opened.push(await openAdapter(path, base));
  } catch (error) {
    await close();
    throw error;
  }
  return { adapters: opened.map((adapter, i) => ({ adapter, scale: requests[i]!.scale })), close };
}
