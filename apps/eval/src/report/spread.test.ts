import fc from 'fast-check';
import { expect, test } from 'vitest';
import { spread } from './spread.ts';

test('labels with room stay where they are', () => {
  expect(spread([100, 40, 70], 14, 0, 200)).toEqual([100, 40, 70]);
});

test('equal ones lie below each other, and do not leave the plot', () => {
  expect(spread([100, 100, 100], 14, 0, 200)).toEqual([100, 114, 128]);
  expect(spread([199, 199, 199], 14, 0, 200)).toEqual([172, 186, 200]);
});

test('no two closer than the gap, in the order of their points, all within the plot when they fit', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 300, noNaN: true }), { maxLength: 20 }), (wanted) => {
      const placed = spread(wanted, 14, 0, 300);
      const order = wanted.map((_, i) => i).sort((a, b) => placed[a]! - placed[b]!);
      for (const [k, i] of order.entries()) {
        expect(placed[i]!).toBeGreaterThanOrEqual(-1e-9);
        expect(placed[i]!).toBeLessThanOrEqual(300 + 1e-9);
        if (k === 0) continue;
        expect(placed[i]! - placed[order[k - 1]!]!).toBeGreaterThanOrEqual(14 - 1e-9);
        expect(wanted[i]!).toBeGreaterThanOrEqual(wanted[order[k - 1]!]!);
      }
    }),
  );
});
