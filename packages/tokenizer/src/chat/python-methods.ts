// What Python's Jinja has and the template library has not, though templates of known models call it: `'…{}…'.format(…)` (Hy3),
// `list.append(…)` and `list.pop(…)` (Kimi K2), and the filters `min` and `max` (MiniCPM5).
import { Environment, type RuntimeValue } from './jinja.ts';
import { pythonText, stringValue } from './python-values.ts';

const scope = new Environment();
const none = scope.set('none', null);
const undefinedValue = scope.set('undefined', undefined);

export const pythonMethodNames: ReadonlySet<string> = new Set(['append', 'format', 'pop']);

/** A method of a text or a list; undefined: the library has it, or nobody. */
export function pythonMethod(
  object: RuntimeValue,
  name: string,
): ((args: readonly RuntimeValue[], named: ReadonlyMap<string, RuntimeValue>) => RuntimeValue) | undefined {
  if (object.type === 'StringValue' && name === 'format')
    return (args, named) => stringValue(formatted(object.value as string, args, named));
  if (object.type !== 'ArrayValue') return undefined;
  const list = object.value as RuntimeValue[];
  if (name === 'append')
    return (args) => {
      if (args.length !== 1) throw new Error(`list.append() takes exactly one argument (${args.length} given)`);
      list.push(args[0]!);
      return none;
    };
  if (name !== 'pop') return undefined;
  return ([at]) => {
    const index = Number(at?.value ?? -1);
    const [taken] = list.splice(index < 0 ? index + list.length : index, 1);
    if (!taken) throw new Error('pop: there is nothing at this place of the list');
    return taken;
  };
}

/** `str.format` with fields `{}`, `{0}` and `{name}`; widths and conversions are refused. */
function formatted(text: string, placed: readonly RuntimeValue[], named: ReadonlyMap<string, RuntimeValue>): string {
  let next = 0;
  return text.replace(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (found, field: string | undefined) => {
    if (found === '{{' || found === '}}') return found[0]!;
    if (field === undefined) throw new Error(`Single '${found}' encountered in format string`);
    if (!/^(\d+|[A-Za-z_]\w*)?$/.test(field)) throw new Error(`str.format: the field {${field}} is not supported`);
    const value = field === '' ? placed[next++] : /^\d/.test(field) ? placed[Number(field)] : named.get(field);
    if (!value) throw new Error(`str.format: there is no value for {${field}}`);
    return pythonText(value);
  });
}

/** The least or greatest of a list of numbers, or of texts, whose case does not count. */
export function extreme(filter: 'min' | 'max', { value }: RuntimeValue): RuntimeValue {
  const items = value as readonly RuntimeValue[];
  const isText = items[0]?.type === 'StringValue';
  const isKind = ({ type }: RuntimeValue): boolean =>
    isText ? type === 'StringValue' : type === 'IntegerValue' || type === 'FloatValue';
  if (!items.every(isKind)) throw new Error(`${filter}: the values cannot be compared`);
  const rank = (item: RuntimeValue): string | number =>
    isText ? (item.value as string).toLowerCase() : Number(item.value);
  const comes = (a: RuntimeValue, b: RuntimeValue): boolean =>
    filter === 'min' ? rank(a) < rank(b) : rank(a) > rank(b);
  return (
    items.reduce<RuntimeValue | undefined>((best, item) => (best && !comes(item, best) ? best : item), undefined) ??
    undefinedValue
  );
}
