import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profiles } from './profiles.ts';
import { countWindows, profileNamed, shardRange, windowAt, windowPlan } from './window-plan.ts';

const ids = (count: number) => Int32Array.from({ length: count }, (_, i) => i + 10);
const llama = (contextTokens: number, maxWindows?: number) => windowPlan({ contextTokens, maxWindows });
const sliding = (contextTokens: number, strideTokens?: number) =>
  windowPlan({ profile: profileNamed('hf-stride'), contextTokens, strideTokens });

describe('profile llama.cpp-512', () => {
  it('scores 255 of 512 tokens, as llama-perplexity does', () => {
    const { firstScored, targets, inputs } = windowAt(ids(1024), 1, windowPlan({}));
    expect(firstScored).toBe(256);
    expect(targets.length).toBe(255);
    expect(inputs[0]).toBe(10 + 512);
    expect(targets[0]).toBe(10 + 512 + 257);
    expect(targets.at(-1)).toBe(10 + 512 + 511);
  });

  it('leaves out a tail shorter than a window', () => {
    expect(countWindows(3 * 512 - 1, llama(512))).toBe(2);
    expect(countWindows(3 * 512, llama(512))).toBe(3);
  });

  it('puts BOS in place of the first token and nowhere else', () => {
    const text = ids(8);
    const { inputs, targets } = windowAt(text, 1, llama(4), 1);
    expect([...inputs]).toEqual([1, 15, 16, 17]);
    expect([...targets]).toEqual([17]);
    expect(text).toEqual(ids(8));
  });

  it('stops at the limit asked for', () => {
    expect(countWindows(5000, llama(512, 3))).toBe(3);
    expect(countWindows(5000, llama(512, 99))).toBe(9);
  });

  it('refuses a short text with the numbers', () => {
    expect(() => countWindows(1023, llama(512))).toThrow(/1023 tokens.*at least 1024/);
    expect(countWindows(1024, llama(512))).toBe(2);
  });
});

describe('profile paper-2048', () => {
  it('scores every token but the first of each window, and puts no BOS there', () => {
    const plan = windowPlan({ profile: profileNamed('paper-2048') });
    const { inputs, targets, firstScored } = windowAt(ids(5000), 1, plan, 1);
    expect(countWindows(5000, plan)).toBe(2);
    expect([inputs.length, inputs[0], firstScored, targets.length, targets[0]]).toEqual([2048, 2058, 0, 2047, 2059]);
    expect(countWindows(2048, plan)).toBe(1);
    expect(() => countWindows(2047, plan)).toThrow(/at least 2048/);
  });
});

describe('profile hf-stride', () => {
  it('scores every token but the first exactly once, with enough context', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 40 }), fc.nat(), fc.nat({ max: 200 }), (contextTokens, seed, more) => {
        const stride = 1 + (seed % contextTokens);
        const plan = sliding(contextTokens, stride);
        const text = ids(contextTokens + more);
        const scored: number[] = [];
        const count = countWindows(text.length, plan);
        for (let index = 0; index < count; index++) {
          const { targets, firstScored } = windowAt(text, index, plan);
          expect(targets.length).toBeGreaterThan(0);
          if (index > 0) expect(firstScored + 1).toBeGreaterThanOrEqual(contextTokens - stride);
          scored.push(...targets);
        }
        // Without overlap the first token of a window has no context: it is not scored.
        const unscored =
          stride === contextTokens ? (id: number) => (id - 10) % stride === 0 : (id: number) => id === 10;
        expect(scored).toEqual([...text].filter((id) => !unscored(id)));
      }),
    );
  });

  it('has the windows of the loop that transformers documents', () => {
    const [length, contextTokens, stride] = [1000, 256, 100];
    const spans: number[][] = [];
    for (let begin = 0, previous = 0; begin < length; begin += stride) {
      const end = Math.min(begin + contextTokens, length);
      spans.push([begin, end, Math.min(end - previous, end - begin - 1)]);
      previous = end;
      if (end === length) break;
    }
    const plan = sliding(contextTokens, stride);
    expect(countWindows(length, plan)).toBe(spans.length);
    for (const [index, [begin, end, targets]] of spans.entries()) {
      const window = windowAt(ids(length), index, plan);
      expect([window.inputs[0]! - 10, window.inputs.at(-1)! - 9, window.targets.length]).toEqual([begin, end, targets]);
    }
  });

  it('takes half the context for a stride when its own does not fit', () => {
    expect(sliding(100).strideTokens).toBe(50);
    expect(sliding(4096).strideTokens).toBe(512);
  });
});

describe('every profile', () => {
  it('aligns every target with the position before it', () => {
    const contexts = fc.integer({ min: 3, max: 64 });
    fc.assert(
      fc.property(fc.constantFrom(...profiles), contexts, fc.nat({ max: 300 }), (profile, contextTokens, more) => {
        const plan = windowPlan({ profile, contextTokens });
        const text = ids(2 * contextTokens + more);
        for (let index = 0; index < countWindows(text.length, plan); index++) {
          const { inputs, firstScored, targets } = windowAt(text, index, plan);
          expect(targets.length).toBe(inputs.length - 1 - firstScored);
          for (const [i, target] of targets.entries()) expect(target).toBe(inputs[firstScored + i]! + 1);
        }
      }),
    );
  });

  it.each([0, 2, -1, 2.5, Number.NaN])('refuses a context of %s', (contextTokens) => {
    expect(() => llama(contextTokens)).toThrow(expect.objectContaining({ code: 'perplexity-bad-context' }));
  });

  it.each([0, 129, 1.5])('refuses a stride of %s in windows of 128', (stride) => {
    expect(() => sliding(128, stride)).toThrow(expect.objectContaining({ code: 'perplexity-bad-stride' }));
  });

  it('refuses a stride where there is none, and a name that is none', () => {
    expect(() => windowPlan({ strideTokens: 4 })).toThrow(expect.objectContaining({ code: 'usage-no-stride' }));
    expect(() => profileNamed('gguf')).toThrow(expect.objectContaining({ code: 'usage-unknown-profile' }));
  });
});

describe('shardRange', () => {
  it('gives every unit to exactly one shard, evenly', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1000 }), fc.integer({ min: 1, max: 50 }), (total, count) => {
        const ranges = Array.from({ length: count }, (_, i) => shardRange(total, { index: i + 1, count }));
        expect([ranges[0]![0], ranges.at(-1)![1]]).toEqual([0, total]);
        for (const [i, [first, end]] of ranges.entries()) {
          if (i > 0) expect(first).toBe(ranges[i - 1]![1]);
          expect(Math.abs(end - first - total / count)).toBeLessThan(1);
        }
      }),
    );
  });
});
