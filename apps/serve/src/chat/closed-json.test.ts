import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedJson } from './closed-json.ts';

describe('closedJson', () => {
  it.each([
    ['{"a": "x y', { a: 'x y' }],
    ['{"a": [1, 2, {"b": true}', { a: [1, 2, { b: true }] }],
    ['{"a": 1, "b', { a: 1 }],
    ['{"a": 1, "b":', { a: 1 }],
    ['{"a": {"b": tru', { a: {} }],
    ['{"a": "back\\', {}],
    ['{', {}],
    ['', {}],
    ['nonsense', {}],
  ])('of %s', (text, value) => {
    expect(closedJson(text)).toEqual(value);
  });

  it('is the value itself of a whole text, and something of every beginning of one', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (value, share) => {
          const text = JSON.stringify(value);
          expect(closedJson(text)).toEqual(JSON.parse(text));
          const cut = closedJson(text.slice(0, Math.floor(text.length * share)));
          expect(typeof cut === 'object' && cut !== null && !Array.isArray(cut)).toBe(true);
        },
      ),
    );
  });
});
