// The factor in tiles against the plain one.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factorOnThreads } from './factor-threads.ts';
import { inverseFactor } from './inverse-factor.ts';
import { TriangleTiles } from './triangle-tiles.ts';

/** X Xᵀ / tokens + damp · mean diagonal, as GPTQ has it: with fewer tokens than columns only the damping makes it positive. */
function hessian(n: number, tokens: number, damp: number, seed: number): Float64Array {
  let state = seed | 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  // Channels of very different size; every seventh is dead.
  const sizes = Float64Array.from({ length: n }, (_, i) => (i % 7 === 3 ? 0 : 10 ** (2 * next())));
  const x = Float64Array.from({ length: tokens * n }, (_, i) => sizes[i % n]! * next());
  const h = new Float64Array(n * n);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < n; i++) {
      const factor = x[t * n + i]! / tokens;
      for (let j = 0; j < n; j++) h[i * n + j]! += factor * x[t * n + j]!;
    }
  let trace = 0;
  for (let i = 0; i < n; i++) {
    if (h[i * n + i] === 0) h[i * n + i] = 1;
    trace += h[i * n + i]!;
  }
  for (let i = 0; i < n; i++) h[i * n + i]! += (damp * trace) / n;
  return h;
}

const tilesOf = (h: Float64Array, n: number): TriangleTiles => {
  const tiles = new TriangleTiles(n);
  tiles.fill((row, col) => (row <= col ? h[row * n + col]! : Number.NaN)); // the lower triangle is not read
  return tiles;
};

/** Largest difference, as a share of the largest element. */
function difference(tiles: TriangleTiles, plain: Float64Array, n: number): number {
  let [most, largest] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) {
      const distance = Math.abs(tiles.at(i, j) - plain[i * n + j]!);
      if (!(distance <= most)) most = distance;
      largest = Math.max(largest, Math.abs(plain[i * n + j]!));
    }
  return most / largest;
}

describe('the factor in tiles', () => {
  it.each([1, 2, 127, 128, 129, 255, 256, 300])('is the plain one: width %i', async (n) => {
    const h = hessian(n, n + 8, 0.01, n);
    const tiles = tilesOf(h, n);
    expect(await factorOnThreads(tiles, 1)).toBe(true);
    expect(difference(tiles, inverseFactor(h, n)!, n)).toBeLessThan(1e-12);
  });

  it('is the plain one, whatever the width, the number of tokens and the damping', async () => {
    const width = fc.integer({ min: 1, max: 280 });
    const tokens = fc.integer({ min: 1, max: 60 });
    const damp = fc.constantFrom(1e-4, 0.01, 0.1);
    await fc.assert(
      fc.asyncProperty(width, tokens, damp, fc.integer(), async (n, count, share, seed) => {
        const h = hessian(n, count, share, seed);
        const tiles = tilesOf(h, n);
        expect(await factorOnThreads(tiles, 1)).toBe(true);
        expect(difference(tiles, inverseFactor(h, n)!, n)).toBeLessThan(1e-9);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same to the bit on any number of threads', async () => {
    const n = 1100;
    const h = hessian(n, 40, 0.01, 5);
    const [one, three] = [tilesOf(h, n), tilesOf(h, n)];
    expect(await factorOnThreads(one, 1)).toBe(true);
    expect(await factorOnThreads(three, 3)).toBe(true);
    expect(Buffer.from(three.buffer).equals(Buffer.from(one.buffer))).toBe(true);
    expect(difference(one, inverseFactor(h, n)!, n)).toBeLessThan(1e-10);
  });

  it.each([1, 2])('says when a matrix is not positive definite, on %i threads', async (threads) => {
    const n = 1050;
    for (const bad of [-1, Number.NaN]) {
      const tiles = new TriangleTiles(n);
      tiles.fill((row, col) => (row === col ? (row === 500 ? bad : 1) : 0));
      expect(await factorOnThreads(tiles, threads)).toBe(false);
    }
  });
});
