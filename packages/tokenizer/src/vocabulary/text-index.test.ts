import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextIndex } from './text-index.ts';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '▁', '🤗'), maxLength: 6 });

describe('TextIndex', () => {
  it('is a map from texts to their first places, of joined texts too', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 40 }), text, text, (texts, left, right) => {
        const index = new TextIndex(texts);
        const first = (wanted: string) => texts.indexOf(wanted);
        expect(index.size).toBe(new Set(texts).size);
        for (const each of [left, right, ...texts]) {
          expect(index.has(each)).toBe(texts.includes(each));
          expect(index.get(each) ?? -1).toBe(first(each));
        }
        expect(index.findJoined(left, right)).toBe(first(left + right));
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves out what does not count', () => {
    const index = new TextIndex(['a', 'b', 'a'], (id) => id !== 0);
    expect([index.size, index.get('a'), index.get('b')]).toEqual([2, 2, 1]);
  });

  // FNV and its like with known constants: such texts would all be looked at for each.
  it('takes a million texts of one pattern in no time', () => {
    const texts = Array.from({ length: 1_000_000 }, (_, i) => String.fromCharCode(i >> 10, i & 1023, 0));
    const started = process.cpuUsage();
    expect(new TextIndex(texts).size).toBe(texts.length);
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
  });
});
