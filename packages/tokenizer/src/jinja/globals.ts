// The functions and names that every template sees, as in transformers.
import { Arguments } from './arguments.ts';
import { printed } from './print.ts';
import { runaway } from './runaway.ts';
import {
  Attributes,
  Callable,
  isDict,
  itemsOf,
  type Key,
  keyOf,
  type NamedValues,
  TemplateError,
  type Value,
  valueOr,
} from './values.ts';

const maxRange = 100_000;

function range(placed: readonly Value[], named: NamedValues): Value {
  const given = new Arguments('range', ['start', 'stop', 'step'], placed, named);
  const first = given.number('start', 0);
  const [start, stop] = placed.length < 2 ? [0, first] : [first, given.number('stop', 0)];
  const step = given.number('step', 1);
  if (step === 0) throw new TemplateError('range() arg 3 must not be zero');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= maxRange)) throw runaway(`asks for a range of ${count} numbers`);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

/** What `dict(…)` and `namespace(…)` take: a mapping or pairs, and names. */
function entries(of: string, placed: readonly Value[], named: NamedValues): [Key, Value][] {
  if (placed.length > 1) throw new TemplateError(`${of} expected at most 1 argument, got ${placed.length}`);
  const source = valueOr(placed[0], []);
  const pairs = isDict(source)
    ? [...source]
    : itemsOf(source).map((pair): [Key, Value] => {
        const [key, value, ...more] = itemsOf(pair);
        if (key === undefined || value === undefined || more.length > 0)
          throw new TemplateError(`${of} expected pairs`);
        return [keyOf(key), value];
      });
  return [...pairs, ...named];
}

export const globals: Readonly<Record<string, Value>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range: new Callable('range', range),
  dict: new Callable('dict', (placed, named) => new Map(entries('dict', placed, named))),
  namespace: new Callable('namespace', (placed, named) => {
    const of = new Map(entries('namespace', placed, named));
    return new Attributes((name) => of.get(name), { set: (name, value) => of.set(name, value) });
  }),
  raise_exception: new Callable('raise_exception', ([message = '']) => {
    throw new TemplateError(printed(message));
  }),
};
