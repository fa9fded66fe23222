// The frequencies of every rope of a network; some files store divisors of them.
import type { ModelView } from '@quern/checkpoint';
import { readVector } from './load-tensor.ts';
import type { BlockSpec } from './network.ts';
import type { Ropes } from './rank.ts';
import { distinctRopes, type RopeFrequencies, ropeFrequencies } from './rope.ts';

/** @throws QuernError those of `ropeFrequencies` and `readVector` */
export async function loadRopes(view: ModelView, blocks: readonly BlockSpec[]): Promise<Ropes> {
  const ropes = new Map<string, RopeFrequencies>();
  for (const [key, rope] of distinctRopes(blocks)) {
    const divisors = rope.divisors === undefined ? undefined : view.tensors.get(rope.divisors);
    ropes.set(key, ropeFrequencies(rope, divisors && (await readVector(divisors))));
  }
  return ropes;
}
