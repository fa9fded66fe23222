// Filters of numbers, and for values that may not be there.
import { printed } from '../print.ts';
import {
  Float,
  isNumber,
  isText,
  Missing,
  numberOf,
  rawText,
  TemplateError,
  truth,
  typeName,
  type Value,
} from '../values.ts';
import { type Filter, filter } from './filter.ts';

const integerText = /^\s*[-+]?\d+(?:_\d+)*\s*$/;
/** Digits can be matched in one way alone: where `\d+\.?\d*` fails, it is tried with every part of them, which of a long text takes minutes. */
const numberText = /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$/;

function numeric(value: Value, of: string): number {
  if (value instanceof Missing) throw new TemplateError(value.why);
  if (isNumber(value)) return numberOf(value);
  throw new TemplateError(`${of}: a number is needed, not ${typeName(value)}`);
}

/** What `int` and `float` make of a text; undefined where it is no number. */
function parsed(value: Value): number | undefined {
  if (value instanceof Missing) throw new TemplateError(value.why);
  if (isNumber(value)) return numberOf(value);
  const text = isText(value) ? rawText(value) : '';
  return integerText.test(text) || numberText.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}

/** To the even one of two that are as near. */
function rounded(value: number): number {
  const near = Math.round(value);
  return Math.abs(value % 1) === 0.5 && near % 2 !== 0 ? near - 1 : near;
}

export const valueFilters: Readonly<Record<string, Filter>> = {
  default: filter('default', ['default_value', 'boolean'], (value, given) => {
    const absent = value instanceof Missing || (given.flag('boolean') && !truth(value));
    return absent ? given.or('default_value', '') : value;
  }),
  abs: filter('abs', [], (value) => {
    const number = Math.abs(numeric(value, 'abs'));
    return value instanceof Float ? new Float(number) : number;
  }),
  int: filter('int', ['default', 'base'], (value, given) => {
    const base = given.number('base', 10);
    if (base !== 10 && isText(value)) {
      const digits = Number.parseInt(printed(value).replace(/^0[xob]/i, ''), base);
      return Number.isNaN(digits) ? given.or('default', 0) : digits;
    }
    const number = parsed(value);
    return number === undefined || !Number.isFinite(number) ? given.or('default', 0) : Math.trunc(number);
  }),
  float: filter('float', ['default'], (value, given) => {
    const number = parsed(value);
    return number === undefined ? given.or('default', new Float(0)) : new Float(number);
  }),
  round: filter('round', ['precision', 'method'], (value, given) => {
    const scale = 10 ** given.number('precision', 0);
    const method = given.text('method') ?? 'common';
    const scaled = numeric(value, 'round') * scale;
    if (method === 'ceil') return new Float(Math.ceil(scaled) / scale);
    if (method === 'floor') return new Float(Math.floor(scaled) / scale);
    if (method !== 'common') throw new TemplateError('method must be common, ceil or floor');
    // The digits of the number itself, not of its product.
    const near =
      scale > 1 ? Number(numeric(value, 'round').toFixed(given.number('precision', 0))) : rounded(scaled) / scale;
    return value instanceof Float ? new Float(near) : near;
  }),
};
