import type { GgufValue } from '@quern/gguf';
import { expect, it } from 'vitest';
import { metadataReader } from './metadata-reader.ts';

const read = (value: GgufValue) => metadataReader({ path: 'a.gguf', metadata: new Map([['x.heads', value]]) }, 'x.');
const list = (...value: number[]): GgufValue => ({ type: 'array', of: 'uint32', value });

it('reads one number for all layers, or one for each', () => {
  expect(read({ type: 'uint32', value: 4 }).perLayer('heads', 3, 0, 9)).toEqual([4, 4, 4]);
  expect(read(list(4, 0, 6)).perLayer('heads', 3, 0, 9)).toEqual([4, 0, 6]);
});

it.each([
  ['too few', list(4, 4)],
  ['too many', list(4, 4, 4, 4)],
  ['one out of range', list(4, 10, 4)],
  ['none', list()],
])('refuses %s', (_, value) => {
  expect(() => read(value).perLayer('heads', 3, 0, 9)).toThrow(
    expect.objectContaining({
      code: 'metadata-bad-value',
      file: 'a.gguf',
      message: expect.stringMatching(/"x\.heads"/),
    }),
  );
});
