import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KvCache } from '../cache/kv-cache.ts';
import { StateMoves } from '../cache/state-moves.ts';
import { HashMemory } from '../testing/hash-memory.ts';
import type { Share } from './divide.ts';
import { Pace } from './pace.ts';
import { Scheduler } from './scheduler.ts';
import { Sequence } from './sequence.ts';

const limits = { batchTokens: 16, maxSequences: 3, maxOutputs: 3 };
const blockTokens = 4;
const CONTEXT = 40;

/** A pace that lets prompts have all that the batch has. */
function fastPace(): Pace {
  const pace = new Pace(limits.batchTokens);
  for (const decoding of [1, 2, 3]) pace.learn(decoding, 0, 100);
  pace.learn(0, 16, 1);
  return pace;
}

function makeScheduler(blocks: number, slots = 3) {
  const memory = new HashMemory({ blocks, blockTokens, slots, usesSlots: false });
  const cache = new KvCache(
    { blocks, blockTokens, slots, blockBytes: 16, slotBytes: 0, budgetBytes: 1e6 },
    new StateMoves(memory),
  );
  return { cache, scheduler: new Scheduler(cache, limits, fastPace()) };
}

let next = 0;
/** Each begins with another token, so that nothing is shared. */
const makeSequence = (promptTokens: number, maxTokens: number, priority = 0): Sequence =>
  new Sequence(
    new Int32Array(promptTokens).fill(next++),
    { maxTokens, priority, sampling: { seed: 0 } },
    { vocabSize: 1e6, contextTokens: CONTEXT, usesSlots: false },
    () => {},
  );

/** Does what the core does with a batch, without a model: every sequence whose tokens are all computed gets one more. */
function compute(scheduler: Scheduler, shares: readonly Share[]): void {
  for (const { sequence, count } of shares) {
    sequence.computed += count;
    if (sequence.pending > 0) continue;
    sequence.tokens.push(0);
    sequence.generated++;
    if (sequence.tokens.length >= sequence.endTokens) scheduler.remove(sequence);
  }
}

const counts = (shares: readonly Share[]): number[] => shares.map(({ count }) => count);

describe('the division of a batch', () => {
  it('gives decoding sequences their token, a shorter prompt what it needs of its part, a long one the rest', () => {
    const { scheduler } = makeScheduler(30);
    scheduler.enqueue(makeSequence(3, 20));
    compute(scheduler, scheduler.plan()); // now decoding
    scheduler.enqueue(makeSequence(30, 5));
    scheduler.enqueue(makeSequence(5, 5));
    expect(counts(scheduler.plan())).toEqual([1, 10, 5]);
  });

  it('reads prompts of one length in turn', () => {
    const { scheduler } = makeScheduler(30);
    for (const sequence of [10, 10, 10].map((prompt) => makeSequence(prompt, 5))) scheduler.enqueue(sequence);
    expect(counts(scheduler.plan())).toEqual([10, 6]);
  });

  it('keeps the order of arrival when there is no place', () => {
    const { scheduler } = makeScheduler(30);
    const sequences = [4, 4, 4, 4].map((prompt) => makeSequence(prompt, 2));
    for (const sequence of sequences) scheduler.enqueue(sequence);
    scheduler.plan();
    expect(scheduler.running).toEqual(sequences.slice(0, 3));
    expect(scheduler.waiting).toEqual([sequences[3]]);
  });

  it('keeps those waiting for whose state there is no slot', () => {
    const { scheduler } = makeScheduler(30, 1);
    const [first, second] = [makeSequence(4, 2), makeSequence(4, 2)];
    for (const sequence of [first, second]) scheduler.enqueue(sequence);
    scheduler.plan();
    expect(scheduler.running).toEqual([first]);
    scheduler.remove(first);
    scheduler.plan();
    expect(scheduler.running).toEqual([second]);
  });

  it('serves by arrival and priority, ten seconds for a step', () => {
    const { scheduler } = makeScheduler(30);
    const [usual, later, urgent] = [makeSequence(4, 2), makeSequence(4, 2, 1), makeSequence(4, 2, -1)];
    for (const sequence of [usual, later, urgent]) scheduler.enqueue(sequence);
    expect(scheduler.waiting).toEqual([urgent, usual, later]);
    expect(later.turn - usual.turn).toBeGreaterThan(9_999);
    expect(later.turn - usual.turn).toBeLessThan(11_000);
  });

  it('lets who begins alike wait until the beginning is there to share', () => {
    const { scheduler } = makeScheduler(30);
    const prompt = Int32Array.from({ length: 30 }, (_, i) => i);
    const limits = { vocabSize: 100, contextTokens: CONTEXT, usesSlots: false };
    const [first, same, other] = [0, 0, 50].map(
      (shift) =>
        new Sequence(
          prompt.map((token) => token + shift),
          { maxTokens: 4 },
          limits,
          () => {},
        ),
    );
    for (const sequence of [first!, same!, other!]) scheduler.enqueue(sequence);
    compute(scheduler, scheduler.plan());
    expect(scheduler.running).toEqual([first, other]);
    while (!scheduler.running.includes(same!)) compute(scheduler, scheduler.plan());
    expect(first!.pending).toBe(1);
    expect(same!.chain).toEqual(first!.chain);
    expect(same!.finishEvent('length').cachedTokens).toBe(28); // whole blocks
  });

  it('does not let a short request overtake a long one that waits for cells', () => {
    const { scheduler } = makeScheduler(10);
    const [first, long, short] = [makeSequence(30, 4), makeSequence(20, 4), makeSequence(1, 1)];
    for (const sequence of [first, long, short]) scheduler.enqueue(sequence);
    scheduler.plan();
    expect(scheduler.running).toEqual([first]);
    expect(scheduler.waiting).toEqual([long, short]);
  });
});

describe('shortage of cache blocks', () => {
  it('sends the youngest back to the head of the queue and lets the oldest go on', () => {
    const { scheduler } = makeScheduler(CONTEXT / blockTokens);
    const [old, young, later] = [makeSequence(15, 20), makeSequence(15, 20), makeSequence(15, 1)];
    for (const sequence of [old, young, later]) scheduler.enqueue(sequence);
    let preempted = 0;
    for (let step = 0; old.tokens.length < old.endTokens; step++) {
      expect(step).toBeLessThan(100);
      compute(scheduler, scheduler.plan());
      if (young.generated > 0 && !scheduler.running.includes(young)) {
        preempted++;
        expect(scheduler.waiting[0]).toBe(young);
        expect(young.blocks).toEqual([]);
        expect(young.slot).toBeUndefined();
      }
    }
    expect(preempted).toBeGreaterThan(0);
  });

  it('always finishes every request, within its blocks and limits', () => {
    const request = fc.record({
      prompt: fc.integer({ min: 1, max: CONTEXT - 1 }),
      reply: fc.integer({ min: 1, max: CONTEXT }),
    });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: CONTEXT / blockTokens, max: 25 }),
        (requests, blocks) => {
          const { cache, scheduler } = makeScheduler(blocks);
          const sequences = requests.map(({ prompt, reply }) =>
            makeSequence(prompt, Math.min(reply, CONTEXT - prompt)),
          );
          for (const sequence of sequences) scheduler.enqueue(sequence);
          for (let step = 0; scheduler.running.length + scheduler.waiting.length > 0; step++) {
            expect(step).toBeLessThan(3000);
            const shares = scheduler.plan();
            expect(shares.length).toBeGreaterThan(0);
            expect(shares.length).toBeLessThanOrEqual(limits.maxSequences);
            expect(shares.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(limits.batchTokens);
            const inUse = scheduler.running.flatMap((sequence) => sequence.blocks);
            expect(new Set(inUse).size).toBe(inUse.length);
            const slots = scheduler.running.map(({ slot }) => slot!);
            expect(slots.every((slot) => slot >= 0 && slot < 3)).toBe(true);
            expect(new Set(slots).size).toBe(slots.length);
            for (const { sequence, count } of shares) {
              expect(count).toBeGreaterThan(0);
              expect(sequence.blocks.length * blockTokens).toBeGreaterThanOrEqual(sequence.computed + count);
            }
            compute(scheduler, shares);
          }
          expect(cache.store.available).toBe(blocks);
          for (const sequence of sequences) expect(sequence.tokens.length).toBe(sequence.endTokens);
        },
      ),
    );
  });
});
