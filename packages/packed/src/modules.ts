// The modules that hold a packed weight, found by the suffix of one of its parts.
import type { StoredTensor } from './stored-tensor.ts';

export interface PackedModule {
  /** `model.layers.0.self_attn.q_proj` */
  readonly module: string;
  /** Its part with the suffix. */
  readonly tensor: StoredTensor;
}

/** In the order of the checkpoint. */
export function modulesWith(tensors: ReadonlyMap<string, StoredTensor>, suffix: string): readonly PackedModule[] {
  return [...tensors]
    .filter(([name]) => name.endsWith(suffix) && name.length > suffix.length)
    .map(([name, tensor]) => ({ module: name.slice(0, -suffix.length), tensor }));
}
