// The order of pairs in a converted file: that of the modules in the adapter, parts of one module as the record has them. The stacks
// of a block stand where its last expert does, by name, as the converter writes them when it has seen that.
import type { LensedPair } from './pair-lens.ts';
import type { ModulePair } from './peft-tensors.ts';

export function inConverterOrder(found: readonly LensedPair[], modules: ReadonlyMap<string, ModulePair>): LensedPair[] {
  const places = new Map([...modules.values()].map((pair, place) => [pair, place]));
  const lastOf = ({ modules: of }: LensedPair): number => Math.max(...of.map((pair) => places.get(pair)!));
  const lastExperts = new Map<number | undefined, number>();
  for (const pair of found.filter(isStack)) {
    const { block } = pair.entry;
    lastExperts.set(block, Math.max(lastOf(pair), lastExperts.get(block) ?? 0));
  }
  const placeOf = (pair: LensedPair): number => (isStack(pair) ? lastExperts.get(pair.entry.block)! : lastOf(pair));
  const nameOf = (pair: LensedPair): string => (isStack(pair) ? pair.modules[0]!.module : '');
  return [...found].sort(
    (a, b) => placeOf(a) - placeOf(b) || (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0),
  );
}

const isStack = ({ entry }: LensedPair): boolean => entry.shape.length === 3;
