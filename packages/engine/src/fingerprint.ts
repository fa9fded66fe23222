// What must be the same for a kept state to mean the same: the model (its metadata, the shapes and types of its tensors, and a
// row of each) and how it is computed.
import { createHash } from 'node:crypto';
import type { ModelView, TensorView } from '@quern/checkpoint';
import type { CacheTypes, LoraAdapter } from '@quern/models';

export interface StateSettings {
  readonly cacheTypes: CacheTypes;
  readonly activations?: string;
  readonly override?: unknown;
  readonly adapters?: readonly LoraAdapter[];
}

export async function fingerprintOf(view: ModelView, settings: StateSettings): Promise<string> {
  const hash = createHash('sha256');
  const write = (value: unknown): void => {
    hash.update(JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner)) ?? '');
  };
  const { cacheTypes, activations = 'f32', override, adapters = [] } = settings;
  write({ k: cacheTypes.k, v: cacheTypes.v, activations, override });
  for (const [key, value] of [...view.metadata].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (!key.startsWith('general.') || key === 'general.architecture') write([key, value]);
  const writeTensor = async (name: string, tensor: TensorView): Promise<void> => {
    const row = new Uint8Array(tensor.rowBytes);
    if (tensor.rows > 0) await tensor.readRows(0, 1, row);
    write([name, tensor.dtype.name, tensor.rows, tensor.rowBytes]);
    hash.update(row);
  };
  for (const [name, tensor] of [...view.tensors].sort(([a], [b]) => (a < b ? -1 : 1))) await writeTensor(name, tensor);
  for (const { pairs } of adapters) {
    write(pairs.size);
    for (const { weight, factor, a, b } of pairs.values()) {
      write(factor);
      await writeTensor(weight, a);
      await writeTensor(weight, b);
    }
  }
  return hash.digest('hex');
}
