import { QuernError } from '@quern/errors';
import { describe, expect, test } from 'vitest';
import { bitsPerWeight, dtypeByGgmlId, dtypeByName, dtypeBySafetensorsName, dtypes, rowBytes } from './dtype.ts';

describe('the table', () => {
  test('names and numbers are unique', () => {
    for (const key of ['name', 'ggmlId', 'safetensorsName'] as const) {
      const values = dtypes.map((dtype) => dtype[key]).filter((value) => value !== undefined);
      expect(new Set(values).size, key).toBe(values.length);
    }
  });

  test('is found by each of them', () => {
    for (const dtype of dtypes) {
      expect(dtypeByName(dtype.name)).toBe(dtype);
      if (dtype.ggmlId !== undefined) expect(dtypeByGgmlId(dtype.ggmlId)).toBe(dtype);
      if (dtype.safetensorsName !== undefined) expect(dtypeBySafetensorsName(dtype.safetensorsName)).toBe(dtype);
    }
    expect(dtypeByGgmlId(4)).toBeUndefined(); // Q4_2, removed from ggml
    expect(dtypeBySafetensorsName('Q4_K')).toBeUndefined();
    expect(() => dtypeByName('constructor')).toThrow(QuernError);
  });

  test('published bits per weight', () => {
    // ggml-common.h says so in the comment of each block.
    const published = { Q4_0: 4.5, Q8_0: 8.5, Q2_K: 2.625, Q3_K: 3.4375, Q4_K: 4.5, Q5_K: 5.5, Q6_K: 6.5625, BF16: 16 };
    for (const [name, bits] of Object.entries(published)) expect(bitsPerWeight(dtypeByName(name)), name).toBe(bits);
  });
});

describe('rowBytes', () => {
  const q4K = dtypeByName('Q4_K');

  test('counts whole blocks', () => {
    expect(rowBytes(q4K, 4096)).toBe(2304);
    expect(rowBytes(dtypeByName('F4'), 6)).toBe(3);
    expect(rowBytes(q4K, 0)).toBe(0);
  });

  test.each([255, -256, 1.5, Number.NaN, 2 ** 53])('refuses a row of %d', (cols) => {
    expect(() => rowBytes(q4K, cols)).toThrow(expect.objectContaining({ code: 'row-not-whole-blocks' }));
  });

  test('refuses a row no file can hold', () => {
    expect(() => rowBytes(dtypeByName('F64'), 2 ** 52)).toThrow(expect.objectContaining({ code: 'row-too-long' }));
  });
});
