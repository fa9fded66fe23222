// Which adapters a request asks for (field `lora` of llama-server).
import type { AdapterScale } from '@quern/engine';
import { z } from 'zod';
import { ApiError } from '../api-error.ts';
import type { ServedModel } from '../models/served-model.ts';

/** What is far beyond what adapters are made for overflows. */
const mostScale = 1e4;

/** Adapters by number; those that are not named are off. An empty list asks for nothing. */
export const adapterField = z
  .array(z.looseObject({ id: z.int().min(0), scale: z.number().min(-mostScale).max(mostScale) }))
  .max(1024);

/** @throws ApiError 400 `invalid_value` */
export function checkAdapters(asked: readonly AdapterScale[] | null | undefined, { engine }: ServedModel): void {
  const strange = asked?.find(({ id }) => id >= engine.adapters.length);
  if (!strange) return;
  const count = engine.adapters.length;
  const message = `lora names adapter ${strange.id}, but ${count === 0 ? 'none is' : `only ${count} are`} loaded.`;
  throw new ApiError(400, 'invalid_value', message, { param: 'lora' });
}

export const adaptersOf = (asked: readonly AdapterScale[] | null | undefined): { adapters?: AdapterScale[] } =>
  asked && asked.length > 0 ? { adapters: asked.map(({ id, scale }) => ({ id, scale })) } : {};
