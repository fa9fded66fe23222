import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MergeTable } from './merge-table.ts';
import { Merger } from './merger.ts';

type Rule = { left: number; right: number; rank: number; merged: number };

/** The definition: look at all neighbours, merge the most urgent pair, the leftmost of equals; again until none is left. */
function mergeByDefinition(symbols: readonly number[], rules: ReadonlyMap<string, Rule>): number[] {
  const word = [...symbols];
  for (;;) {
    let best = -1;
    for (let i = 0; i + 1 < word.length; i++) {
      const rule = rules.get(`${word[i]},${word[i + 1]}`);
      if (rule && (best < 0 || rule.rank < (rules.get(`${word[best]},${word[best + 1]}`) as Rule).rank)) best = i;
    }
    if (best < 0) return word;
    word.splice(best, 2, (rules.get(`${word[best]},${word[best + 1]}`) as Rule).merged);
  }
}

const symbol = fc.integer({ min: 0, max: 6 });

describe('Merger', () => {
  it.each([
    ['ranks all different', false],
    ['ranks shared by one merged symbol, as scores are', true],
  ])('merges as the definition says: %s', (_, shared) => {
    const merger = fc
      .array(fc.record({ left: symbol, right: symbol, merged: symbol }), { maxLength: 25 })
      .map((list) => list.map((rule, index) => ({ ...rule, rank: shared ? rule.merged : index })));
    fc.assert(
      fc.property(merger, fc.array(symbol, { maxLength: 40 }), (list, word) => {
        const rules = new Map<string, Rule>();
        for (const rule of list) {
          const key = `${rule.left},${rule.right}`;
          if (!rules.has(key)) rules.set(key, rule);
        }
        const table = new MergeTable((left, right) => rules.get(`${left},${right}`));
        const symbols = Int32Array.from(word);
        const count = new Merger(table).merge(symbols, word.length);
        expect([...symbols.subarray(0, count)]).toEqual(mergeByDefinition(word, rules));
      }),
      { numRuns: 2000 },
    );
  });

  it('merges a million symbols without a boundary in seconds, not hours', () => {
    const table = new MergeTable((left, right) =>
      left === right && left < 10 ? { rank: left, merged: left + 1 } : undefined,
    );
    const symbols = new Int32Array(1 << 20);
    const started = process.cpuUsage();
    expect(new Merger(table).merge(symbols, symbols.length)).toBe(1 << 10);
    expect(process.cpuUsage(started).user).toBeLessThan(10_000_000);
  });

  it('asks for each pair once, however many there are, and keeps a bounded number of them', () => {
    let asked = 0;
    const table = new MergeTable((left) => {
      asked++;
      return left % 2 === 0 ? { rank: left, merged: left + 1 } : undefined;
    });
    for (const _ of [1, 2])
      for (let left = 0; left < 100_000; left++) {
        const slot = table.find(left, 7);
        expect(slot === -1 ? undefined : [table.rank(slot), table.merged(slot)]).toEqual(
          left % 2 === 0 ? [left, left + 1] : undefined,
        );
      }
    expect(asked).toBe(100_000);
    for (let left = 0; left < 3_000_000; left++) table.find(left, 8);
    expect(table.find(4, 7)).not.toBe(-1);
    expect(asked).toBe(3_100_001);
  });
});
