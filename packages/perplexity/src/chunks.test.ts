import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkAt, countChunks } from './chunks.ts';

const ids = (count: number) => Int32Array.from({ length: count }, (_, i) => i + 10);

describe('chunks', () => {
  it('scores 255 of 512 tokens, as llama-perplexity does', () => {
    const { firstScored, targets, inputs } = chunkAt(ids(1024), 1, { contextTokens: 512 });
    expect(firstScored).toBe(256);
    expect(targets.length).toBe(255);
    expect(inputs[0]).toBe(10 + 512);
    expect(targets[0]).toBe(10 + 512 + 257);
    expect(targets.at(-1)).toBe(10 + 512 + 511);
  });

  it('leaves out a tail shorter than a chunk', () => {
    expect(countChunks(3 * 512 - 1, { contextTokens: 512 })).toBe(2);
    expect(countChunks(3 * 512, { contextTokens: 512 })).toBe(3);
  });

  it('puts BOS in place of the first token and nowhere else', () => {
    const text = ids(8);
    const { inputs, targets } = chunkAt(text, 1, { contextTokens: 4, bos: 1 });
    expect([...inputs]).toEqual([1, 15, 16, 17]);
    expect([...targets]).toEqual([17]);
    expect(text).toEqual(ids(8));
  });

  it('aligns every target with the position before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 64 }), fc.integer({ min: 0, max: 5 }), (contextTokens, index) => {
        const { inputs, firstScored, targets } = chunkAt(ids(contextTokens * 6), index, { contextTokens });
        expect(targets.length).toBe(contextTokens - 1 - firstScored);
        for (const [i, target] of targets.entries()) expect(target).toBe(inputs[firstScored + i]! + 1);
      }),
    );
  });

  it('stops at the limit asked for', () => {
    expect(countChunks(5000, { contextTokens: 512, maxChunks: 3 })).toBe(3);
    expect(countChunks(5000, { contextTokens: 512, maxChunks: 99 })).toBe(9);
  });

  it('refuses a short text with the numbers', () => {
    expect(() => countChunks(1023, { contextTokens: 512 })).toThrow(/1023 tokens.*at least 1024/);
    expect(countChunks(1024, { contextTokens: 512 })).toBe(2);
  });

  it.each([0, 2, -1, 2.5, Number.NaN])('refuses a context of %s', (contextTokens) => {
    expect(() => countChunks(1000, { contextTokens })).toThrow(
      expect.objectContaining({ code: 'perplexity-bad-context' }),
    );
  });
});
