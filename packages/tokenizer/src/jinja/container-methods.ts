// Methods of mappings and lists. Those that change a mapping are not there: the sandbox of transformers refuses them, and no
// template is known to call them. `append` and `pop` of lists are, since templates do (Kimi K2).
import { Arguments } from './arguments.ts';
import { equal } from './compare.ts';
import {
  type Callable,
  type Dict,
  isDict,
  keyOf,
  Missing,
  TemplateError,
  Tuple,
  type Value,
  valueOr,
} from './values.ts';

type Method = Callable['call'];

export function containerMethod(value: Value, name: string): Method | undefined {
  if (isDict(value)) return own(mappingMethods, name)?.(value);
  if (Array.isArray(value)) return own(listMethods, name)?.(value);
  return value instanceof Tuple ? own(sequenceMethods, name)?.(value.items) : undefined;
}

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

export const pairs = (dict: Dict): Tuple[] => [...dict].map(([key, value]) => new Tuple([key, value]));

const mappingMethods: Readonly<Record<string, (dict: Dict) => Method>> = {
  get: (dict) => (placed, named) => {
    const given = new Arguments('dict.get', ['key', 'default'], placed, named);
    const key = given.need('key');
    return valueOr(key instanceof Missing ? undefined : dict.get(keyOf(key)), given.or('default', null));
  },
  items: (dict) => () => pairs(dict),
  keys: (dict) => () => [...dict.keys()],
  values: (dict) => () => [...dict.values()],
  copy: (dict) => () => new Map(dict),
};

const sequenceMethods: Readonly<Record<string, (items: readonly Value[]) => Method>> = {
  index:
    (items) =>
    ([wanted = null]) => {
      const at = items.findIndex((one) => equal(one, wanted));
      if (at < 0) throw new TemplateError('index: the value is not in the list');
      return at;
    },
  count:
    (items) =>
    ([wanted = null]) =>
      items.filter((one) => equal(one, wanted)).length,
};

const listMethods: Readonly<Record<string, (list: Value[]) => Method>> = {
  ...sequenceMethods,
  copy: (list) => () => [...list],
  append: (list) => (placed) => {
    if (placed.length !== 1)
      throw new TemplateError(`list.append() takes exactly one argument (${placed.length} given)`);
    list.push(placed[0]!);
    return null;
  },
  pop:
    (list) =>
    ([at = -1]) => {
      const index = typeof at === 'number' ? at : Number.NaN;
      const place = index < 0 ? index + list.length : index;
      if (!(place in list)) throw new TemplateError('pop: there is nothing at this place of the list');
      return list.splice(place, 1)[0]!;
    },
};
