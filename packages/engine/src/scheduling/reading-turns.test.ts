// Prompts that are read in turn against the same prompts read side by side, on a device that reads so many tokens a step.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readingTurns } from './reading-turns.ts';
import { Sequence } from './sequence.ts';

const limits = { vocabSize: 10, contextTokens: 1e5, usesSlots: false };
const prompt = (tokens: number): Sequence =>
  new Sequence(new Int32Array(tokens), { maxTokens: 1, sampling: { seed: 0 } }, limits, () => {});

interface Arrival {
  readonly step: number;
  readonly tokens: number;
}

type Division = (readers: readonly Sequence[], room: number) => ReadonlyMap<Sequence, number>;

/** As water fills vessels: what a short one leaves of its part goes to the others. */
const evenly: Division = (readers, room) => {
  const counts = new Map<Sequence, number>();
  let left = room;
  const rising = readers.toSorted((a, b) => a.pending - b.pending);
  for (const [i, reader] of rising.entries()) {
    const count = Math.min(reader.pending, Math.floor(left / (rising.length - i)));
    counts.set(reader, count);
    left -= count;
  }
  return counts;
};

/** For each arrival how many steps passed until it was read. */
function stepsOf(division: Division, arrivals: readonly Arrival[], room: number): number[] {
  const all = arrivals.map(({ tokens }) => prompt(tokens));
  const done = all.map(() => 0);
  for (let step = 0; done.includes(0); step++) {
    const readers = all.filter((reader, i) => arrivals[i]!.step <= step && reader.pending > 0);
    if (readers.length === 0) continue;
    for (const [reader, count] of division(readers, Math.max(room, readers.length))) {
      reader.computed += count;
      if (reader.pending === 0) done[all.indexOf(reader)] = step + 1;
    }
  }
  return done.map((end, i) => end - arrivals[i]!.step);
}

const together = (count: number, tokens: number): Arrival[] =>
  Array.from({ length: count }, () => ({ step: 0, tokens }));

describe('one step', () => {
  const readers = fc
    .array(fc.record({ tokens: fc.integer({ min: 2, max: 5000 }), read: fc.nat(4998) }), {
      minLength: 1,
      maxLength: 16,
    })
    .map((all) =>
      all.map(({ tokens, read }) => Object.assign(prompt(tokens), { computed: Math.min(read, tokens - 2) })),
    );

  it('fills its room, gives whoever is overtaken an even part, and serves the others in turn', () => {
    fc.assert(
      fc.property(readers, fc.integer({ min: 16, max: 300 }), (all, room) => {
        const counts = readingTurns(all, room);
        const given = all.map((reader) => counts.get(reader)!);
        const pending = all.map((reader) => reader.pending);
        expect(given.reduce((a, b) => a + b)).toBe(
          Math.min(
            room,
            pending.reduce((a, b) => a + b),
          ),
        );
        const even = Math.floor(room / all.length);
        for (const [i, count] of given.entries()) {
          expect(count).toBeLessThanOrEqual(pending[i]!);
          const overtaking = given.some(
            (other, j) => j > i && other > 0 && pending[j]! < pending[i]! && count < pending[i]!,
          );
          if (overtaking) expect(count).toBeGreaterThanOrEqual(Math.min(pending[i]!, even));
          // One that is at least as long and came later has no more than an even part before this one has all.
          for (let j = i + 1; j < all.length; j++)
            if (count < pending[i]! && pending[j]! >= pending[i]!) expect(given[j]).toBeLessThanOrEqual(even);
        }
      }),
    );
  });

  it('ends at a position whose state is kept, and lets the next go on from there', () => {
    const stateful = { ...limits, usesSlots: true };
    const options = { maxTokens: 1, messageEnds: [10] };
    const first = new Sequence(new Int32Array(40), options, stateful, () => {});
    const second = prompt(40);
    expect([...readingTurns([first, second], 30).values()]).toEqual([10, 20]);
  });
});

describe('prompts of one length that come together', () => {
  it.each([1, 2, 16])('%i: each is read when those before it are, the last no later than side by side', (count) => {
    const inTurn = stepsOf(readingTurns, together(count, 64), 128);
    expect(inTurn).toEqual(Array.from({ length: count }, (_, i) => Math.ceil((64 * (i + 1)) / 128)));
    expect(inTurn.at(-1)).toBe(Math.max(...stepsOf(evenly, together(count, 64), 128)));
  });
});

describe('a long prompt and shorter ones', () => {
  it('a short one that comes later has half of the room at once', () => {
    expect(
      stepsOf(
        readingTurns,
        [
          { step: 0, tokens: 8000 },
          { step: 3, tokens: 64 },
        ],
        128,
      )[1],
    ).toBe(1);
    expect(
      stepsOf(
        readingTurns,
        [
          { step: 0, tokens: 8000 },
          { step: 3, tokens: 256 },
        ],
        128,
      )[1],
    ).toBe(4);
  });

  it('gets on beside a flood of short ones as it would with an even part', () => {
    // Fifteen places are never empty: as soon as one is read, another is there.
    const long = prompt(8000);
    const places = Array.from({ length: 15 }, () => prompt(128));
    let steps = 0;
    for (; long.pending > 0; steps++) {
      for (const [reader, count] of readingTurns([long, ...places], 128)) reader.computed += count;
      for (const [i, reader] of places.entries()) if (reader.pending === 0) places[i] = prompt(128);
    }
    expect(steps).toBeLessThanOrEqual(8000 / (128 / 16));
  });

  it('waits at most twice as long as side by side, whatever comes when', () => {
    const arrivals = fc.array(
      fc.record({
        step: fc.nat(60),
        tokens: fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 3000 })),
      }),
      { minLength: 1, maxLength: 16 },
    );
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 32, max: 128 }), (all, room) => {
        const sorted = all.toSorted((a, b) => a.step - b.step);
        const fair = stepsOf(evenly, sorted, room);
        const inTurn = stepsOf(readingTurns, sorted, room);
        for (const [i, steps] of fair.entries()) expect(inTurn[i]).toBeLessThanOrEqual(2 * steps + 2); // rounding
      }),
      { numRuns: 300 },
    );
  });
});
