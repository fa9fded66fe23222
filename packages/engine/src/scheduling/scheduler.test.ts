import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockAllocator } from './block-allocator.ts';
import { Scheduler, type Share } from './scheduler.ts';
import { Sequence } from './sequence.ts';

const limits = { batchTokens: 16, maxSequences: 3, maxOutputs: 3, blockTokens: 4, slots: 3 };
const CONTEXT = 40;

const makeSequence = (promptTokens: number, maxTokens: number): Sequence =>
  new Sequence(
    new Int32Array(promptTokens),
    { maxTokens, sampling: { seed: 0 } },
    { vocabSize: 8, contextTokens: CONTEXT },
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
  it('gives decoding sequences their token and readers an even share of the rest', () => {
    const scheduler = new Scheduler(new BlockAllocator(30), limits);
    scheduler.enqueue(makeSequence(3, 20));
    compute(scheduler, scheduler.plan()); // now decoding
    scheduler.enqueue(makeSequence(30, 5));
    scheduler.enqueue(makeSequence(5, 5));
    expect(counts(scheduler.plan())).toEqual([1, 5, 10]);
  });

  it('keeps the order of arrival when there is no place', () => {
    const scheduler = new Scheduler(new BlockAllocator(30), limits);
    const sequences = [4, 4, 4, 4].map((prompt) => makeSequence(prompt, 2));
    for (const sequence of sequences) scheduler.enqueue(sequence);
    scheduler.plan();
    expect(scheduler.running).toEqual(sequences.slice(0, 3));
    expect(scheduler.waiting).toEqual([sequences[3]]);
  });

  it('keeps those waiting for whose state there is no slot', () => {
    const scheduler = new Scheduler(new BlockAllocator(30), { ...limits, slots: 1 });
    const [first, second] = [makeSequence(4, 2), makeSequence(4, 2)];
    for (const sequence of [first, second]) scheduler.enqueue(sequence);
    scheduler.plan();
    expect(scheduler.running).toEqual([first]);
    scheduler.remove(first);
    scheduler.plan();
    expect(scheduler.running).toEqual([second]);
  });

  it('does not let a short request overtake a long one that waits for cells', () => {
    const scheduler = new Scheduler(new BlockAllocator(10), limits);
    const [first, long, short] = [makeSequence(30, 4), makeSequence(20, 4), makeSequence(1, 1)];
    for (const sequence of [first, long, short]) scheduler.enqueue(sequence);
    scheduler.plan();
    expect(scheduler.running).toEqual([first]);
    expect(scheduler.waiting).toEqual([long, short]);
  });
});

describe('shortage of cache blocks', () => {
  it('sends the youngest back to the head of the queue and lets the oldest go on', () => {
    const allocator = new BlockAllocator(CONTEXT / limits.blockTokens);
    const scheduler = new Scheduler(allocator, limits);
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
        fc.integer({ min: CONTEXT / limits.blockTokens, max: 25 }),
        (requests, blocks) => {
          const allocator = new BlockAllocator(blocks);
          const scheduler = new Scheduler(allocator, limits);
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
            expect(slots.every((slot) => slot >= 0 && slot < limits.slots)).toBe(true);
            expect(new Set(slots).size).toBe(slots.length);
            for (const { sequence, count } of shares) {
              expect(count).toBeGreaterThan(0);
              expect(sequence.blocks.length * limits.blockTokens).toBeGreaterThanOrEqual(sequence.computed + count);
            }
            compute(scheduler, shares);
          }
          expect(allocator.free).toBe(blocks);
          for (const sequence of sequences) expect(sequence.tokens.length).toBe(sequence.endTokens);
        },
      ),
    );
  });
});
