// The rounds: what is measured, and that the least is found where parts agree.
import { expect, it } from 'vitest';
import { bestRatio, measuredParts, measurements } from './best-ratio.ts';
import { ratios } from './scale-candidates.ts';

/** Two valleys, the deeper one at .65; the ratio stands in the scales. */
const errorOf = (ratio: number): number => 2 + Math.sin(9 * ratio) + Math.abs(ratio - 0.65) / 4;
const deepest = ratios.reduce((best, ratio) => (errorOf(ratio) < errorOf(best) ? ratio : best));

async function search(parts: number, error = (ratio: number, _part: number): number => errorOf(ratio)) {
  const measured: { scaled: boolean; from: number; to: number }[] = [];
  const best = await bestRatio({
    parts,
    candidate: (ratio) => Float32Array.of(ratio),
    measure: async (scales, from, to) => {
      measured.push({ scaled: scales !== undefined, from, to });
      let sum = 0;
      for (let part = from; part < to; part++) sum += scales ? error(scales[0]!, part) : 5;
      return sum;
    },
  });
  return { best, measured, parts: measured.reduce((sum, { from, to }) => sum + to - from, 0) };
}

it('finds the deepest of several valleys, with a quarter of the work', async () => {
  const { best, measured, parts } = await search(8);
  expect(best!.ratio).toBe(deepest);
  expect(best!.error).toBeCloseTo(8 * errorOf(deepest), 4);
  expect(best!.unscaledError).toBe(40);
  expect(measured).toHaveLength(measurements(8));
  expect(parts).toBe(measuredParts);
  expect(parts).toBeLessThan((8 * (1 + ratios.length)) / 3);
});

it.each([1, 2, 3, 5])('measures the winner on all of %i parts', async (parts) => {
  const { best, measured } = await search(parts);
  expect(measured).toHaveLength(measurements(parts));
  expect(best!.ratio).toBe(deepest);
  expect(best!.error).toBeCloseTo(parts * errorOf(deepest), 4);
});

it('a ratio whose error is no number is none, in whatever part that shows', async () => {
  const { best } = await search(8, (ratio, part) =>
    Math.abs(ratio - deepest) < 0.01 && part > 3 ? NaN : errorOf(ratio),
  );
  expect(best!.ratio).not.toBe(deepest);
  expect(Number.isFinite(best!.error)).toBe(true);
  expect((await search(8, () => NaN)).best).toBeUndefined();
});
