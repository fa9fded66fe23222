// What a small model is said to have computed, against a cache that knows of each cell behind which tokens it was written.
import { expect, it } from 'vitest';
import { Random } from '../sampling/random.ts';
import { BlockMemory } from './draft-memory.ts';

const blockTokens = 3;

it('never says more than is there, and nearly all of it, as sequences come, share blocks, guess wrong and go', () => {
  const random = Random.seeded(11);
  const below = (count: number): number => Math.floor(random.nextFloat() * count);
  const memory = new BlockMemory(blockTokens);
  /** What each place of each block was computed from: all tokens up to it. */
  const cells = new Map<string, string>();
  const cellAt = (blocks: readonly number[], i: number): string =>
    `${blocks[Math.floor(i / blockTokens)]} ${i % blockTokens}`;
  const truth = (blocks: readonly number[], tokens: readonly number[]): number => {
    let count = 0;
    while (count < tokens.length && cells.get(cellAt(blocks, count)) === `${tokens.slice(0, count + 1)}`) count++;
    return count;
  };
  let [found, all] = [0, 0];
  let texts: { blocks: number[]; tokens: number[] }[] = [];
  for (let step = 0; step < 20_000; step++) {
    if (texts.length < 3 || random.nextFloat() < 0.05) {
      // Blocks that are whole may be those of another text; the others are anybody's.
      const other = texts[below(texts.length)];
      const shared = other ? below(Math.floor(other.tokens.length / blockTokens) + 1) : 0;
      const taken = new Set(texts.flatMap(({ blocks }) => blocks));
      const free = Array.from({ length: 24 }, (_, block) => block).filter((block) => !taken.has(block));
      const blocks = [...(other?.blocks.slice(0, shared) ?? []), ...free.slice(0, 4)];
      const tokens = [...(other?.tokens.slice(0, shared * blockTokens) ?? []), below(2)];
      texts = [...texts, { blocks, tokens }].slice(-3);
    }
    const { blocks, tokens } = texts[below(texts.length)]!;
    const known = memory.computed({ blocks, tokens });
    const there = truth(blocks, tokens);
    expect(known).toBeLessThanOrEqual(there);
    found += known;
    all += there;
    const room = blocks.length * blockTokens;
    const first = Math.min(known, tokens.length - 1);
    const guesses = Array.from({ length: below(3) }, () => below(2));
    const run = [...tokens.slice(first), ...guesses].slice(0, room - first);
    memory.write({ sequence: { blocks, tokens }, first, tokens: run });
    const written = [...tokens.slice(0, first), ...run];
    for (let i = first; i < written.length; i++) cells.set(cellAt(blocks, i), `${written.slice(0, i + 1)}`);
    if (tokens.length < room - 1) tokens.push(below(2));
    else texts = texts.filter((text) => text.tokens !== tokens);
  }
  expect(all).toBeGreaterThan(50_000);
  expect(found / all).toBeGreaterThan(0.98);
});
