import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GroupRange, groupRange, pseudoQuantize, roundHalfEven } from './grid.ts';
import { quantizeMatrix } from './quantized-matrix.ts';

const values = fc.array(fc.float({ min: -4, max: 4, noNaN: true }), { minLength: 32, maxLength: 32 });
const grid = { bits: 4, groupSize: 32, symmetric: false, leastZero: 0 };

describe('a group', () => {
  it('is never off by more than a step, whatever its signs', () => {
    fc.assert(
      fc.property(values, fc.boolean(), (list, symmetric) => {
        const weights = Float32Array.from(list);
        const range: GroupRange = { scale: 0, zero: 0 };
        groupRange(weights, 0, 32, { ...grid, symmetric }, range);
        const rounded = weights.slice();
        pseudoQuantize(rounded, { ...grid, symmetric });
        for (const [i, w] of rounded.entries())
          expect(Math.abs(w - weights[i]!)).toBeLessThanOrEqual(range.scale * 1.01);
      }),
    );
  });

  it('of positive weights alone keeps them', () => {
    const weights = Float32Array.from({ length: 32 }, (_, i) => 1 + i / 320);
    const rounded = weights.slice();
    pseudoQuantize(rounded, grid);
    for (const [i, w] of rounded.entries()) expect(Math.abs(w - weights[i]!)).toBeLessThan(0.05);
  });

  it('of zeros is zeros', () => {
    const { codes, scales, zeros } = quantizeMatrix(new Float32Array(32), { tensor: 't', rows: 1, cols: 32 }, grid);
    expect(scales[0]).toBeGreaterThan(0);
    expect(codes.every((code) => code === zeros![0])).toBe(true);
  });

  it('keeps its zero where GPTQ v1 can store it', () => {
    const weights = Float32Array.from({ length: 32 }, (_, i) => i / 32);
    expect(quantizeMatrix(weights, { tensor: 't', rows: 1, cols: 32 }, { ...grid, leastZero: 1 }).zeros![0]).toBe(1);
  });

  it('too large for F16 is refused by name', () => {
    const weights = new Float32Array(32).fill(3e38);
    expect(() => quantizeMatrix(weights, { tensor: 'blk.0.x', rows: 1, cols: 32 }, grid)).toThrowError(
      expect.objectContaining({ code: 'quantize-scale-overflow', tensor: 'blk.0.x' }),
    );
  });
});

it('rounds halves to even', () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 7.4999].map((x) => roundHalfEven(x) + 0)).toEqual([0, 2, 2, 0, -2, 7]);
});
