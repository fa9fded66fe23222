// The frequencies of every rope of a network; some files store divisors of them.
import type { ModelView } from '@quern/checkpoint';
import { readVector } from './load-tensor.ts';
import type { BlockSpec } from './network.ts';
import type { Ropes } from './rank.ts';
import { distinctRopes, type RopeFrequencies, ropeFrequencies } from './rope.ts';

/**
 * @param context tokens that a sequence can have
 * @throws QuernError those of `ropeFrequencies` and `readVector`
 */
export async function loadRopes(view: ModelView, blocks: readonly BlockSpec[], context: number): Promise<Ropes> {
  const ropes = new Map<string, RopeFrequencies>();
  for (const [key, rope] of distinctRopes(blocks)) {
    const { byContext } = rope;
    const name = byContext ? byContext[context > byContext.above ? 'long' : 'short'] : rope.divisors;
    const divisors = name === undefined ? undefined : view.tensors.get(name);
    ropes.set(key, ropeFrequencies(rope, divisors && (await readVector(divisors))));
  }
  return ropes;
}
