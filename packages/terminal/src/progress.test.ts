import { expect, test } from 'vitest';
import { describeProgress } from './index.ts';

const gib = 2 ** 30;

test('says how much, how fast and how long', () => {
  const line = describeProgress(
    { title: 'quantize' },
    { done: 2 * gib, total: 8 * gib, label: 'blk.0.attn_q.weight' },
    { perSecond: gib / 4, etaMs: 24_000 },
  );
  expect(line).toBe('quantize   25%  2.00 GiB of 8.00 GiB  256 MiB/s  ETA 24 s  blk.0.attn_q.weight');
});

test('counts tokens and does without a total', () => {
  expect(describeProgress({ title: 'eval', unit: 'tokens' }, { done: 1500 }, { perSecond: 300 })).toBe(
    'eval  1.50k  300 tokens/s',
  );
});
