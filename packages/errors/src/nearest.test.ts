import { expect, test } from 'vitest';
import { nearest } from './index.ts';

test.each([
  ['quantise', ['convert', 'quantize', 'eval'], ['quantize']],
  ['q4km', ['Q4_0', 'Q4_K_M', 'Q4_K_S'], ['Q4_K_M']],
  ['Q4_K_X', ['Q8_0', 'Q4_K_M', 'Q4_K_S'], ['Q4_K_M', 'Q4_K_S']],
  ['--thraeds', ['--threads', '--tensors'], ['--threads']],
  ['zzz', ['Q4_0', 'eval'], []],
  ['', ['a'], []],
])('%s of %j is %j', (written, names, meant) => {
  expect(nearest(written, names)).toEqual(meant);
});
