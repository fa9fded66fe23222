// What `loop` says in a loop.
import { equal } from './compare.ts';
import { Attributes, Callable, Missing, TemplateError, Tuple, type Value, valueOr } from './values.ts';

/** @param again for a loop that is recursive: runs it on other items */
export function loopStates(
  items: readonly Value[],
  depth: number,
  again: Callable['call'] | undefined,
): (i: number) => Attributes {
  let last: Value | undefined;
  const changed = new Callable('changed', (placed) => {
    const now = new Tuple(placed);
    const differs = last === undefined || !equal(last, now);
    last = now;
    return differs;
  });
  const at = (i: number): Value => valueOr(items[i], new Missing('there is no such item in the loop'));
  const facts: Readonly<Record<string, (i: number) => Value>> = {
    index: (i) => i + 1,
    index0: (i) => i,
    revindex: (i) => items.length - i,
    revindex0: (i) => items.length - i - 1,
    first: (i) => i === 0,
    last: (i) => i === items.length - 1,
    length: () => items.length,
    depth: () => depth + 1,
    depth0: () => depth,
    previtem: (i) => at(i - 1),
    nextitem: (i) => at(i + 1),
    changed: () => changed,
    cycle: (i) => new Callable('cycle', (placed) => cycled(placed, i)),
  };
  const of = (name: string) => (Object.hasOwn(facts, name) ? facts[name] : undefined);
  return (i) => new Attributes((name) => of(name)?.(i), { call: again });
}

function cycled(placed: readonly Value[], i: number): Value {
  if (placed.length === 0) throw new TemplateError('no items for cycling given');
  return placed[i % placed.length]!;
}
