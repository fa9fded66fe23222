// Guesses are made where they pay: by what steps cost and how often guesses are right, as a plain simulation of both says.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worthGuessing } from './payoff.ts';
import { Standing } from './standing.ts';
import { StepCost } from './step-cost.ts';

describe('the cost of a step', () => {
  it('is learned from steps of different sizes, and follows when it changes', () => {
    const cost = new StepCost();
    for (let step = 0; step < 40; step++) cost.learn(1 + (step % 5), 20 + 3 * (1 + (step % 5)));
    expect(Math.abs(cost.known!.base - 20)).toBeLessThan(2);
    expect(Math.abs(cost.known!.each - 3)).toBeLessThan(0.5);
    for (let step = 0; step < 400; step++) cost.learn(1 + (step % 5), 50 + 1 + (step % 5));
    expect(Math.abs(cost.known!.base - 50)).toBeLessThan(2);
    expect(Math.abs(cost.known!.each - 1)).toBeLessThan(0.5);
  });

  it('is not told by too few steps, and a row by steps of one size only as it is assumed', () => {
    const cost = new StepCost();
    for (let step = 0; step < 3; step++) cost.learn(1, 10);
    expect(cost.known).toBeUndefined();
    cost.learn(1, 10);
    expect(cost.known!.base + cost.known!.each).toBeCloseTo(10);
    expect(cost.known!.each).toBeCloseTo(1.5);
  });

  it('is hardly moved by a step during which the machine did something else', () => {
    const cost = new StepCost();
    for (let step = 0; step < 40; step++) cost.learn(1 + (step % 5), 20 + 3 * (1 + (step % 5)));
    cost.learn(5, 3000);
    expect(cost.known!.each).toBeLessThan(6);
    expect(cost.known!.base).toBeGreaterThan(10);
  });

  it('has no negative parts, whatever the clock says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0.01, max: 1e4, noNaN: true })), {
          minLength: 4,
        }),
        (steps) => {
          const cost = new StepCost();
          for (const [rows, ms] of steps) cost.learn(rows, ms);
          expect(cost.known!.each).toBeGreaterThanOrEqual(0);
          expect(cost.known!.base).toBeGreaterThanOrEqual(-1e-6);
        },
      ),
    );
  });
});

describe('how many tokens are worth guessing', () => {
  const chances = { acceptance: 0.9, guessMs: 0, most: 8, decoding: 1 };

  it('is as many as there can be while nothing is known, or rows cost nothing', () => {
    expect(worthGuessing(chances, undefined)).toBe(8);
    expect(worthGuessing({ ...chances, acceptance: 0.1 }, { base: 10, each: 0 })).toBe(8);
  });

  it('is none where a row costs as much as a step, or guesses are never right', () => {
    expect(worthGuessing(chances, { base: 0, each: 10 })).toBe(0);
    expect(worthGuessing({ ...chances, acceptance: 0 }, { base: 10, each: 0.1 })).toBe(0);
    expect(worthGuessing({ ...chances, guessMs: 20 }, { base: 10, each: 0 })).toBe(0);
  });

  it('is less in company: the base is shared', () => {
    const alone = worthGuessing(chances, { base: 100, each: 10 });
    const beside = worthGuessing({ ...chances, decoding: 16 }, { base: 100, each: 10 });
    expect(alone).toBeGreaterThan(beside);
  });

  it('never has a neighbour that simulated guessing finds better', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(part, part, part, fc.integer({ min: 1, max: 8 }), (acceptance, each, guessMs, most) => {
        const base = 1 - each;
        // Tokens of a step with k guesses, by summing over where the first wrong one is.
        const rate = (k: number): number => {
          let tokens = (k + 1) * acceptance ** k;
          for (let right = 0; right < k; right++) tokens += (right + 1) * acceptance ** right * (1 - acceptance);
          return tokens / (base + (1 + k) * each + k * guessMs);
        };
        const best = worthGuessing({ acceptance, guessMs, most, decoding: 1 }, { base, each });
        for (let k = 0; k <= most; k++) expect(rate(best)).toBeGreaterThanOrEqual(rate(k) - 1e-9);
      }),
    );
  });
});

describe('the standing of a source', () => {
  it('nears how often it is right', () => {
    const standing = new Standing();
    for (let n = 0; n < 200; n++) standing.learn(4, n % 2 === 0 ? 4 : 1);
    expect(standing.acceptance).toBeGreaterThan(0.75);
    expect(standing.acceptance).toBeLessThan(0.9);
    for (let n = 0; n < 50; n++) standing.learn(4, 0);
    expect(standing.acceptance).toBeLessThan(0.05);
  });

  it('sits out longer and longer while it does not pay', () => {
    const standing = new Standing();
    const rests: number[] = [];
    let tokens = 100;
    for (let n = 0; n < 7; n++) {
      standing.rest(tokens);
      const from = tokens;
      while (standing.isResting(tokens)) tokens++;
      rests.push(tokens - from);
      standing.learn(3, 0);
    }
    expect(rests).toEqual([16, 32, 64, 128, 256, 512, 512]);
    standing.learn(3, 2);
    standing.rest(tokens);
    expect(standing.isResting(tokens + 15)).toBe(true);
    expect(standing.isResting(tokens + 16)).toBe(false);
  });
});
