// What the environment says about colours and widths.
import { expect, test } from 'vitest';
import { hasColours, outputWidth } from './index.ts';

const tty = { isTTY: true, columns: 100 };
const pipe = {};

test.each([
  ['a terminal', tty, {}, true],
  ['a pipe', pipe, {}, false],
  ['NO_COLOR', tty, { NO_COLOR: '1' }, false],
  ['an empty NO_COLOR', tty, { NO_COLOR: '' }, true],
  ['FORCE_COLOR in a pipe', pipe, { FORCE_COLOR: '1' }, true],
  ['FORCE_COLOR=0', tty, { FORCE_COLOR: '0' }, false],
  ['NO_COLOR over FORCE_COLOR', tty, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ['a dumb terminal', tty, { TERM: 'dumb' }, false],
])('colours: %s', (_, output, env, expected) => {
  expect(hasColours(output, env)).toBe(expected);
});

test.each([
  ['a terminal', tty, {}, 100],
  ['a terminal without a size', { isTTY: true, columns: 0 }, {}, 80],
  ['a terminal without a size, and COLUMNS', { isTTY: true, columns: 0 }, { COLUMNS: '60' }, 60],
  ['a pipe', pipe, {}, Number.POSITIVE_INFINITY],
  ['a pipe and COLUMNS', pipe, { COLUMNS: '60' }, 60],
])('width: %s', (_, output, env, expected) => {
  expect(outputWidth(output, env)).toBe(expected);
});
