// Against every mixture there is.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { allocate, type Choice, lowerHull } from './allocate.ts';

const choice = fc.record({ bytes: fc.integer({ min: 1, max: 60 }), loss: fc.integer({ min: 0, max: 1000 }) });
/** As types are: more bytes, less loss. */
const falling = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 5 })
  .map((steps) => {
    let bytes = 0;
    let loss = 2000;
    return steps.map(([more, less]): Choice => ({ bytes: (bytes += more), loss: (loss = Math.max(0, loss - less)) }));
  });
const instances = (one: fc.Arbitrary<Choice[]>) =>
  fc.tuple(fc.array(one, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 200 }));

const sum = (tensors: readonly (readonly Choice[])[], chosen: readonly number[], key: keyof Choice): number =>
  chosen.reduce((total, index, t) => total + tensors[t]![index]![key], 0);

/** The least loss that fits, by trying all. */
function leastLoss(tensors: readonly (readonly Choice[])[], budget: number, from = 0): number {
  if (budget < 0) return Number.POSITIVE_INFINITY;
  if (from === tensors.length) return 0;
  return Math.min(...tensors[from]!.map(({ bytes, loss }) => loss + leastLoss(tensors, budget - bytes, from + 1)));
}

/** The most that one step of a hull saves: what the relaxed optimum may be away from a whole one. */
const largestStep = (tensors: readonly (readonly Choice[])[]): number =>
  Math.max(
    0,
    ...tensors.flatMap((choices) => {
      const hull = lowerHull(choices);
      return hull.slice(1).map((to, i) => choices[hull[i]!]!.loss - choices[to]!.loss);
    }),
  );

test.each([
  ['any choices', instances(fc.array(choice, { minLength: 1, maxLength: 4 }))],
  ['choices like types', instances(falling)],
])('%s: fits, when anything does, and misses the best mixture by less than one step', (_, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, ([tensors, budget]) => {
      const best = leastLoss(tensors, budget);
      const chosen = allocate(tensors, budget);
      if (best === Number.POSITIVE_INFINITY) {
        expect(chosen).toBeUndefined();
        return;
      }
      expect(sum(tensors, chosen!, 'bytes')).toBeLessThanOrEqual(budget);
      expect(sum(tensors, chosen!, 'loss')).toBeGreaterThanOrEqual(best);
      expect(sum(tensors, chosen!, 'loss')).toBeLessThanOrEqual(best + largestStep(tensors));
    }),
    { numRuns: 2000 },
  );
});

test('nearly always it is the best mixture', () => {
  const sampled = fc.sample(instances(falling), { numRuns: 1000, seed: 7 });
  const feasible = sampled.filter(([tensors, budget]) => leastLoss(tensors, budget) < Number.POSITIVE_INFINITY);
  const exact = feasible.filter(
    ([tensors, budget]) => sum(tensors, allocate(tensors, budget)!, 'loss') === leastLoss(tensors, budget),
  );
  expect(feasible.length).toBeGreaterThan(500);
  expect(exact.length / feasible.length).toBeGreaterThan(0.95);
});

test('a larger budget never loses, where all steps fit evenly', () => {
  const tensors = [
    [
      { bytes: 1, loss: 10 },
      { bytes: 2, loss: 4 },
      { bytes: 3, loss: 1 },
    ],
    [
      { bytes: 1, loss: 7 },
      { bytes: 2, loss: 5 },
      { bytes: 3, loss: 4 },
    ],
  ];
  expect([1, 2, 3, 4, 5, 6].map((budget) => allocate(tensors, budget))).toEqual([
    undefined,
    [0, 0],
    [1, 0],
    [2, 0],
    [2, 1],
    [2, 2],
  ]);
});

test('the hull leaves out what a line between two others beats', () => {
  expect(
    lowerHull([
      { bytes: 4, loss: 1 },
      { bytes: 1, loss: 10 },
      { bytes: 2, loss: 9 },
      { bytes: 2, loss: 12 },
      { bytes: 5, loss: 1 },
    ]),
  ).toEqual([1, 0]);
});
