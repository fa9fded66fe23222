import { expect, test } from 'vitest';
import { describeProgress } from './index.ts';
import { progressLine } from './progress-line.ts';

const gib = 2 ** 30;
const half = {
  title: 'quantize',
  done: 2 * gib,
  total: 4 * gib,
  perSecond: gib / 4,
  etaMs: 8000,
  label: 'blk.11.attn_q.weight',
};

test('says how much, how fast and how long', () => {
  expect(describeProgress(half)).toBe('quantize   50%  2.00 of 4.00 GiB  256 MiB/s  ETA 8.0 s  blk.11.attn_q.weight');
});

test('counts tokens and does without a total', () => {
  expect(describeProgress({ title: 'eval', unit: 'tokens', done: 1500, perSecond: 300 })).toBe(
    'eval  1.50k tokens  300 tokens/s',
  );
});

test('the rate of what is slow is the time that one takes', () => {
  const line = describeProgress({ title: 'awq', unit: 'layers', done: 3.4, total: 30, perSecond: 0.4, etaMs: 66_500 });
  expect(line).toBe('awq   11%  3 of 30 layers  2.5 s per layer  ETA 1 min 07 s');
});

test('amounts in different units both say theirs', () => {
  expect(describeProgress({ title: 'load', done: 512, total: gib, perSecond: 0 })).toBe(
    'load    0%  512 B of 1.00 GiB',
  );
});

test('a terminal gets a bar as long as its share', () => {
  const line = progressLine(half, 99);
  expect(line).toBe(
    'quantize  ██████████░░░░░░░░░░   50%  2.00 of 4.00 GiB  256 MiB/s  ETA 8.0 s  blk.11.attn_q.weight',
  );
  expect(progressLine({ ...half, done: 3 * half.total }, 99)).toContain(`${'█'.repeat(20)}  100%`);
});

test.each([20, 30, 40, 60, 79, 80, 120, 200])('never wider than %i columns', (columns) => {
  const long = { ...half, title: `eval ${'very-'.repeat(20)}long.gguf`, label: 'x'.repeat(300) };
  for (const figures of [half, long, { ...half, total: undefined, etaMs: undefined }])
    expect([...progressLine(figures, columns)].length).toBeLessThanOrEqual(columns);
});

test('where it is narrow, the label goes first, then the rate, the bar and the time', () => {
  expect(progressLine(half, 79)).toBe('quantize  ██████████░░░░░░░░░░   50%  2.00 of 4.00 GiB  256 MiB/s  ETA 8.0 s');
  expect(progressLine(half, 60)).toBe('quantize  █████░░░░░   50%  2.00 of 4.00 GiB  ETA 8.0 s');
  expect(progressLine(half, 34)).toBe('quantize   50%  2.00 of 4.00 GiB');
});
