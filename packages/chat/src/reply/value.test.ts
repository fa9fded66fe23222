import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Input } from './input.ts';
import { readValue } from './value.ts';

function read(text: string, notation?: Parameters<typeof readValue>[2]): { json: string; whole: boolean } {
  const input = new Input();
  let json = '';
  const reading = readValue(input, (piece) => (json += piece), notation);
  for (const character of text) {
    input.feed(character);
    const step = reading.next();
    if (step.done) return { json, whole: step.value };
  }
  input.end();
  const whole = reading.next().value as boolean;
  return { json, whole };
}

describe('readValue', () => {
  it('passes JSON on as it stands', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(read(text)).toEqual({ json: text, whole: true });
      }),
    );
  });

  // Right-hand sides are what Python's json.dumps(ast.literal_eval(text)) gives, white space aside.
  it.each([
    [`{'a': True, 'b': [None, False]}`, '{"a": true, "b": [null, false]}'],
    [`('a', 1.5,)`, '["a", 1.5]'],
    [`'it\\'s "so"'`, '"it\'s \\"so\\""'],
    [`'\\x41\\u00e9\\n'`, '"\\u0041\\u00e9\\n"'],
    [`"\\d+\\-"`, '"\\\\d+\\\\-"'],
    [`"a\nb"`, '"a\\nb"'],
    [`[1, 2, ]`, '[1, 2]'],
  ])('writes %s as JSON', (python, json) => {
    const made = read(python);
    expect(made.whole).toBe(true);
    expect(JSON.parse(made.json)).toEqual(JSON.parse(json));
  });

  it.each(['{"a": }', '{"a" 1}', '[1 2]', '{"a": nonsense}', '[}', '{"a": "b', '[[[['])(
    'stops where %s is broken',
    (text) => {
      expect(read(text).whole).toBe(false);
    },
  );

  it('reads other quotation marks and bare keys', () => {
    const { json } = read('{a:<|"|>x "y" <b<|"|>,b:{c:[1,<|"|><|"|>]}}', { quote: '<|"|>', bareKeys: true });
    expect(JSON.parse(json)).toEqual({ a: 'x "y" <b', b: { c: [1, ''] } });
  });

  it('takes a million brackets', () => {
    expect(read('['.repeat(1e6)).whole).toBe(false);
  });
});
