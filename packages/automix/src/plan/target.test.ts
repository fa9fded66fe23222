import { expect, test } from 'vitest';
import { parseTargetBits, parseTargetSize } from './target.ts';

test.each([
  ['2889024', 2_889_024],
  ['700M', 700_000_000],
  ['3.8G', 3_800_000_000],
  ['3.5GiB', 3.5 * 2 ** 30],
  ['512ki', 512 * 1024],
  ['10MB', 10_000_000],
])('%s is a size', (text, bytes) => {
  expect(parseTargetSize(text)).toEqual({ kind: 'file', bytes });
});

test('a file type is the size that it has', () => {
  expect(parseTargetSize('q4_k_m')).toEqual({ kind: 'like', fileType: 'Q4_K_M' });
  expect(parseTargetSize('Q5_K')).toEqual({ kind: 'like', fileType: 'Q5_K_M' });
});

test.each(['', '0', '-5', '3.8 G', '5T', 'Q4_X', 'COPY', '1e9', '0.1'])('%j is no size', (text) => {
  expect(() => parseTargetSize(text)).toThrow(expect.objectContaining({ code: 'usage-target' }));
});

test('bits per weight', () => {
  expect(parseTargetBits('4.25')).toEqual({ kind: 'bits', bitsPerWeight: 4.25 });
  for (const text of ['', '0', '-4', '33', '4,5', 'four', '4.5.1'])
    expect(() => parseTargetBits(text)).toThrow(expect.objectContaining({ code: 'usage-target' }));
});
