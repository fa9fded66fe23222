import { expect, test } from 'vitest';
import { formatBits, formatBytes, formatCount, formatDuration } from './index.ts';

test('bytes are binary and never print as 1024 of a unit', () => {
  expect(formatBytes(0)).toBe('0 B');
  expect(formatBytes(1023)).toBe('1023 B');
  expect(formatBytes(1536)).toBe('1.50 KiB');
  expect(formatBytes(1024 ** 3 - 1)).toBe('1.00 GiB');
  expect(formatBytes(7.8 * 1024 ** 3)).toBe('7.80 GiB');
  expect(formatBytes(123.4 * 1024 ** 2)).toBe('123 MiB');
});

test('counts and bits', () => {
  expect(formatCount(512)).toBe('512');
  expect(formatCount(4_210_000)).toBe('4.21M');
  expect(formatCount(999_999)).toBe('1.00M');
  expect(formatBits(4.8944)).toBe('4.894 bpw');
});

test('durations', () => {
  expect(formatDuration(420)).toBe('0.4 s');
  expect(formatDuration(59_600)).toBe('1 min 00 s');
  expect(formatDuration(185_000)).toBe('3 min 05 s');
  expect(formatDuration(7_620_000)).toBe('2 h 07 min');
});
