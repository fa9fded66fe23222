// Random programs of requests, branches and cancellations: no block is lost, none has two owners, no sequence ever reads what
// is not its own text, and nothing outgrows its budget.
import { describe, expect, it } from 'vitest';
import { type ProgramOptions, runProgram } from '../testing/random-program.ts';

const usual: Omit<ProgramOptions, 'usesSlots'> = {
  ...{ seed: 1, steps: 20_000, blocks: 24, contextTokens: 40 },
  budgetBytes: 60_000,
};

describe.each([
  ['whose state is in blocks', false],
  ['with a state of fixed size', true],
])('sequences %s', (_, usesSlots) => {
  it.each([
    ['a cache with room', { blocks: 60, seed: 1 }],
    ['a cache that is always full', { blocks: 10, seed: 2 }],
    ['a small budget', { budgetBytes: 3_000, seed: 3 }],
    ['no budget', { budgetBytes: 0, seed: 4 }],
  ])('keep their blocks apart in %s', async (name, options) => {
    const told = await runProgram({ ...usual, usesSlots, ...options });
    for (const happened of [told.finished, told.cancelled, told.forked]) expect(happened).toBeGreaterThan(100);
    if (name !== 'no budget') expect(told.cachedTokens).toBeGreaterThan(1000);
    if (name === 'a cache that is always full') {
      expect(told.preempted).toBeGreaterThan(100);
      expect(told.mostHost).toBeGreaterThan(10);
    }
  });
});
