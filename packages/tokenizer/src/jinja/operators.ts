// Python's operators on values.
import { contains, equal, order } from './compare.ts';
import { formatPercent } from './formats.ts';
import { printed } from './print.ts';
import { spend } from './spending.ts';
import { escapedHtml } from './text.ts';
import {
  Float,
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

export const comparisons: Readonly<Record<string, (left: Value, right: Value) => boolean>> = {
  '==': equal,
  '!=': (left, right) => !equal(left, right),
  '<': (left, right) => order(left, right, '<') < 0,
  '<=': (left, right) => order(left, right, '<=') <= 0,
  '>': (left, right) => order(left, right, '>') > 0,
  '>=': (left, right) => order(left, right, '>=') >= 0,
  in: (left, right) => contains(right, left),
  'not in': (left, right) => !contains(right, left),
};

/** The longest list or text that `*` makes. */
const mostRepeated = 1 << 24;

export function calculate(operator: string, left: Value, right: Value): Value {
  if (operator === '~') return printed(left) + printed(right);
  for (const operand of [left, right]) if (operand instanceof Missing) throw new TemplateError(operand.why);
  if (isNumber(left) && isNumber(right)) return arithmetic(operator, left, right);
  if (operator === '+') return joined(left, right);
  if (operator === '*') {
    const repeated = isWhole(right)
      ? repeat(left, Number(right))
      : isWhole(left)
        ? repeat(right, Number(left))
        : undefined;
    if (repeated !== undefined) return repeated;
  }
  if (operator === '%' && isText(left)) return formatPercent(rawText(left), right);
  throw unsupported(operator, left, right);
}

function joined(left: Value, right: Value): Value {
  if (isText(left) && isText(right)) {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    const html = (side: string | SafeText) => (typeof side === 'string' ? escapedHtml(side) : side.text);
    return new SafeText(html(left) + html(right));
  }
  if (Array.isArray(left) && Array.isArray(right)) return both(left, right);
  if (left instanceof Tuple && right instanceof Tuple) return new Tuple(both(left.items, right.items));
  if (isText(left)) throw new TemplateError(`can only concatenate str (not "${typeName(right)}") to str`);
  throw unsupported('+', left, right);
}

function both(left: readonly Value[], right: readonly Value[]): Value[] {
  spend(left.length + right.length);
  return [...left, ...right];
}

const isWhole = (value: Value): value is number | boolean => typeof value === 'number' || typeof value === 'boolean';

function repeat(value: Value, times: number): Value | undefined {
  const count = Math.max(0, times);
  const length = isText(value) ? rawText(value).length : Array.isArray(value) ? value.length : 0;
  if (length * count > mostRepeated) throw new TemplateError(`a repetition of ${length * count} items is too long`);
  if (typeof value === 'string') return value.repeat(count);
  if (value instanceof SafeText) return new SafeText(value.text.repeat(count));
  if (!Array.isArray(value)) return undefined;
  spend(length * count);
  return Array.from({ length: length * count }, (_, i) => value[i % length]!);
}

function arithmetic(operator: string, left: number | Float | boolean, right: number | Float | boolean): Value {
  const [a, b] = [numberOf(left), numberOf(right)];
  const number = (value: number): Value => (left instanceof Float || right instanceof Float ? new Float(value) : value);
  switch (operator) {
    case '+':
      return number(a + b);
    case '-':
      return number(a - b);
    case '*':
      return number(a * b);
    case '**': {
      if (a === 0 && b < 0) throw new TemplateError('0.0 cannot be raised to a negative power');
      const power = a ** b;
      if (!Number.isFinite(power)) throw new TemplateError(`${a} ** ${b} is no finite number`);
      return b < 0 ? new Float(power) : number(power);
    }
  }
  if (b === 0) throw new TemplateError('division by zero');
  if (operator === '/') return new Float(a / b);
  if (operator === '//') return number(Math.floor(a / b));
  if (operator === '%') return number(a - b * Math.floor(a / b));
  throw unsupported(operator, left, right);
}

export function negated(sign: string, value: Value): Value {
  if (value instanceof Missing) throw new TemplateError(value.why);
  if (!isNumber(value)) throw new TemplateError(`bad operand type for unary ${sign}: '${typeName(value)}'`);
  const result = sign === '-' ? -numberOf(value) : numberOf(value);
  // -0 is a float's alone.
  return value instanceof Float ? new Float(result) : result + 0;
}

const unsupported = (operator: string, left: Value, right: Value): TemplateError =>
  new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`);
