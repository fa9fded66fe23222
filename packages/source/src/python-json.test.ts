import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePythonJson, pythonJson } from './index.ts';

// Texts as Python's json.dumps writes them; what json.loads makes of them.
test.each<[string, unknown]>([
  [
    '{"initializer_range": NaN, "top_p": Infinity, "low": [-Infinity, -1]}',
    { initializer_range: Number.NaN, top_p: Infinity, low: [-Infinity, -1] },
  ],
  ['{"NaN": "NaN", "a\\"NaN": NaN, "b\\\\": "-Infinity"}', { NaN: 'NaN', 'a"NaN': Number.NaN, 'b\\': '-Infinity' }],
  ['\ufeff{"a": 1}', { a: 1 }],
  ['\ufeff{"a": NaN, "number0:NaN": "number1:Infinity"}', { a: Number.NaN, 'number0:NaN': 'number1:Infinity' }],
  ['NaN', Number.NaN],
])('reads %s', (text, value) => {
  expect(parsePythonJson(text)).toEqual(value);
});

test.each([
  '',
  '{',
  '{"a": NaNa}',
  '{"a": NAN}',
  '{"a": +Infinity}',
  '{"a": nan}',
  '{NaN: 1}x',
  '{"a": "NaN',
  '{"a": --Infinity}',
])('refuses %s as JSON.parse does', (text) => {
  expect(() => parsePythonJson(text)).toThrow(SyntaxError);
});

test('what is written is read again, whatever it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(Number.NaN, Infinity, -Infinity), (any, number) => {
      const value = JSON.parse(JSON.stringify(any));
      const whole = { value, number, list: [number, 'NaN', value] };
      expect(parsePythonJson(pythonJson(whole, 2))).toEqual(whole);
    }),
  );
});
