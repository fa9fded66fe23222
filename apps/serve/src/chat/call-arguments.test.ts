import { expect, test } from 'vitest';
import { atOnce } from '../http/pauses.ts';
import { ArgumentsReader } from './call-arguments.ts';

const callArguments = (text: string, param: string) => atOnce(new ArgumentsReader().read(text, param));

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

test('those of one conversation have no more parts than a body, and let others in between', () => {
  const texts = JSON.stringify({ a: Array.from({ length: 60_000 }, () => 's') });
  const reader = new ArgumentsReader();
  for (let at = 0; at < 4; at++) {
    const reading = reader.read(texts, `messages.${at}`);
    expect(reading.next().done).toBe(false);
    expect(reading.next()).toEqual({ done: true, value: JSON.parse(texts) });
  }
  expect(() => atOnce(reader.read(texts, 'messages.4'))).toThrow('messages.4 has more than 262144');
});
