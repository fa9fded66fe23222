import { expect, test } from 'vitest';
import { callArguments } from './call-arguments.ts';

test.each([
  ['{"a": 1}', { a: 1 }],
  ['', {}],
  ['null', {}],
  ['{"city": "Par', { city: 'Par' }],
  ['{"', {}],
  ['{description": "x"}', {}],
  ['[1, 2', {}],
  ['{"command": "git commit -m \\"x\\"}', { command: 'git commit -m "x"}' }],
])('%s', (text, value) => {
  expect(callArguments(text, 'p')).toEqual(value);
});

test('JSON that is no object, or too deep, is refused with its place', () => {
  for (const text of ['[1]', '"a"', '5'])
    expect(() => callArguments(text, 'messages.1.x')).toThrow('messages.1.x must be the text of a JSON object.');
  const deep = '{"a":'.repeat(200_000);
  expect(() => callArguments(`${deep}1${'}'.repeat(200_000)}`, 'p')).toThrow('nested');
  expect(callArguments(deep, 'p')).toEqual({});
});

test('many commas in lists that are never closed take no longer than their bytes', () => {
  const text = '['.repeat(200_000) + ','.repeat(200_000);
  const start = process.cpuUsage();
  expect(() => callArguments(`{"a": ${text}`, 'p')).not.toThrow();
  expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
});
