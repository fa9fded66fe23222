// Jinja's tests: `value is name`, `value is name(argument)`.
import { comparisons } from './operators.ts';
import { printed } from './print.ts';
import {
  Callable,
  Float,
  isDict,
  isNumber,
  isText,
  Missing,
  numberOf,
  rawText,
  SafeText,
  TemplateError,
  Tuple,
  typeName,
  type Value,
} from './values.ts';

export type Test = (value: Value, other: Value) => boolean;

const compared = (operator: string): Test => comparisons[operator]!;
const isSequence = (value: Value): boolean => isText(value) || Array.isArray(value) || value instanceof Tuple;

function whole(value: Value): number {
  if (value instanceof Missing) throw new TemplateError(value.why);
  if (isNumber(value)) return numberOf(value);
  throw new TemplateError(`a number is needed, not ${typeName(value)}`);
}

const tests: Readonly<Record<string, Test>> = {
  defined: (value) => !(value instanceof Missing),
  undefined: (value) => value instanceof Missing,
  none: (value) => value === null,
  true: (value) => value === true,
  false: (value) => value === false,
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => typeof value === 'number',
  float: (value) => value instanceof Float,
  number: isNumber,
  string: isText,
  mapping: isDict,
  // Python can ask what is not there for its length, and go through it.
  sequence: (value) => isSequence(value) || isDict(value) || value instanceof Missing,
  iterable: (value) => isSequence(value) || isDict(value) || value instanceof Missing,
  callable: (value) => value instanceof Callable || value instanceof Missing,
  escaped: (value) => value instanceof SafeText,
  sameas: (value, other) => value === other || (isText(value) && isText(other) && rawText(value) === rawText(other)),
  odd: (value) => Math.abs(whole(value)) % 2 === 1,
  even: (value) => whole(value) % 2 === 0,
  divisibleby: (value, other) => whole(value) % whole(other) === 0,
  lower: (value) => isLower(printed(value)),
  upper: (value) => isLower(printed(value), true),
  in: compared('in'),
  eq: compared('=='),
  equalto: compared('=='),
  '==': compared('=='),
  ne: compared('!='),
  '!=': compared('!='),
  lt: compared('<'),
  lessthan: compared('<'),
  '<': compared('<'),
  le: compared('<='),
  '<=': compared('<='),
  gt: compared('>'),
  greaterthan: compared('>'),
  '>': compared('>'),
  ge: compared('>='),
  '>=': compared('>='),
};

function isLower(text: string, upper = false): boolean {
  const [lowered, raised] = [text.toLowerCase(), text.toUpperCase()];
  return lowered !== raised && text === (upper ? raised : lowered);
}

export function testNamed(name: string): Test {
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (!test) throw new TemplateError(`No test named '${name}'.`);
  return test;
}
