// How Python prints and compares the values in a template. The template library prints and compares as JavaScript does;
// templates are written for Python, and some depend on it (a list in the text, `content == ''`).

import { Environment, type RuntimeValue } from './jinja.ts';

const StringValue = new Environment().set('text', '').constructor as new (text: string) => RuntimeValue;
const BooleanValue = new Environment().set('flag', true).constructor as new (flag: boolean) => RuntimeValue;

export const stringValue = (text: string): RuntimeValue => new StringValue(text);
export const booleanValue = (flag: boolean): RuntimeValue => new BooleanValue(flag);

/** Python's name of a value's type. */
export function pythonType(value: RuntimeValue): string {
  return pythonTypes[value.type] ?? value.type;
}

const pythonTypes: Record<string, string> = {
  StringValue: 'str',
  IntegerValue: 'int',
  FloatValue: 'float',
  BooleanValue: 'bool',
  NullValue: 'NoneType',
  ArrayValue: 'list',
  TupleValue: 'tuple',
  ObjectValue: 'dict',
  KeywordArgumentsValue: 'dict',
};

/** `str(value)`, and the empty text for a variable that is not defined. */
export function pythonText(value: RuntimeValue): string {
  return value.type === 'StringValue' ? (value.value as string) : pythonRepr(value);
}

function pythonRepr(value: RuntimeValue): string {
  switch (value.type) {
    case 'UndefinedValue':
      return '';
    case 'NullValue':
      return 'None';
    case 'BooleanValue':
      return value.value ? 'True' : 'False';
    case 'StringValue':
      return quote(value.value as string);
    case 'ArrayValue':
      return `[${items(value).join(', ')}]`;
    case 'TupleValue':
      return `(${items(value).join(', ')}${items(value).length === 1 ? ',' : ''})`;
    case 'ObjectValue': {
      const entries = [...(value.value as Map<string, RuntimeValue>)];
      return `{${entries.map(([key, entry]) => `${quote(key)}: ${pythonRepr(entry)}`).join(', ')}}`;
    }
    default:
      return value.toString();
  }
}

function items(value: RuntimeValue): string[] {
  return (value.value as RuntimeValue[]).map(pythonRepr);
}

const escapes: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** `repr` of a string: single quotes, unless only double quotes need no escape. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\\p{Cc}]/gu, (character) => {
    const code = (character.codePointAt(0) as number).toString(16).padStart(2, '0');
    return escapes[character] ?? `\\x${code}`;
  });
  return mark + (mark === "'" ? body.replaceAll("'", "\\'") : body) + mark;
}

/** `left == right`: values of different kinds differ, lists and dicts are compared by what they hold. */
export function pythonEquals(left: RuntimeValue, right: RuntimeValue): boolean {
  const [kind, other] = [comparedAs(left), comparedAs(right)];
  if (kind !== other) return false;
  switch (kind) {
    case 'number':
      return Number(left.value) === Number(right.value);
    case 'ArrayValue':
    case 'TupleValue': {
      const [a, b] = [left.value as RuntimeValue[], right.value as RuntimeValue[]];
      return a.length === b.length && a.every((item, index) => pythonEquals(item, b[index] as RuntimeValue));
    }
    case 'ObjectValue': {
      const [a, b] = [left.value as Map<string, RuntimeValue>, right.value as Map<string, RuntimeValue>];
      if (a.size !== b.size) return false;
      return [...a].every(([key, item]) => b.has(key) && pythonEquals(item, b.get(key) as RuntimeValue));
    }
    default:
      return left.value === right.value;
  }
}

function comparedAs(value: RuntimeValue): string {
  return ['IntegerValue', 'FloatValue', 'BooleanValue'].includes(value.type) ? 'number' : value.type;
}
