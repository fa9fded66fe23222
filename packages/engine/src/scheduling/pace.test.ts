// The pace on devices of known cost: others keep their rhythm beside a long prompt, and the prompt gets on.
import { describe, expect, it } from 'vitest';
import { Random } from '../sampling/random.ts';
import { Pace } from './pace.ts';

interface Cost {
  /** Milliseconds of a step, of a token in it that decodes, of one of a prompt. */
  step: number;
  decoding: number;
  prompt: number;
}

const batchTokens = 128;
const devices: [string, Cost][] = [
  ['a laptop with a large model', { step: 120, decoding: 2, prompt: 9 }],
  ['two cores with a small one', { step: 5, decoding: 0.7, prompt: 0.5 }],
  ['a GPU', { step: 9, decoding: 0.05, prompt: 0.04 }],
  ['a device whose prompts cost as much as replies', { step: 12, decoding: 5, prompt: 5 }],
];

/** Steps with `decoding` sequences beside a prompt of so many tokens; attention grows with what has been read. */
function run(cost: Cost, decoding: number, promptTokens: number) {
  const random = Random.seeded(9);
  const pace = new Pace(batchTokens);
  const alone = cost.step + decoding * cost.decoding;
  const gaps: number[] = [];
  let read = 0;
  while (read < promptTokens) {
    const count = Math.min(promptTokens - read, pace.promptTokens(decoding));
    const growth = 1 + read / 8192;
    const ms = (alone + count * cost.prompt * growth) * (0.9 + 0.2 * random.nextFloat());
    pace.learn(decoding, count, ms);
    gaps.push(ms);
    read += count;
    expect(gaps.length).toBeLessThan(20 * promptTokens);
  }
  gaps.sort((a, b) => a - b);
  return { p99: gaps[Math.floor(0.99 * gaps.length)]! / alone, steps: gaps.length, alone };
}

describe.each(devices)('%s', (_, cost) => {
  it.each([1, 4, 16])('lets %i others wait no longer than three times as long, beside 8192 tokens', (decoding) => {
    const { p99, steps, alone } = run(cost, decoding, 8192);
    expect(p99).toBeLessThan(3);
    // And the prompt has its part: at least a third of the time, where a batch allows.
    const promptMs = 8192 * cost.prompt;
    expect(steps).toBeLessThan(Math.max((3 * promptMs) / alone, (1.2 * 8192) / (batchTokens - decoding)) + 200);
  });

  it('lets a prompt alone fill its batches, but ends a step within half a second', () => {
    const pace = new Pace(batchTokens);
    for (let i = 0; i < 10; i++) pace.learn(0, pace.promptTokens(0), cost.step + cost.prompt * pace.promptTokens(0));
    const ms = cost.step + cost.prompt * pace.promptTokens(0);
    expect(ms).toBeLessThan(600);
    if (ms < 300) expect(pace.promptTokens(0)).toBe(batchTokens);
  });
});
