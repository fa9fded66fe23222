import { describe, expect, it } from 'vitest';
import { type CacheOptions, describeCacheTypes, exactCache, readCacheTypes } from './cache-types.ts';

const usual = { k: 'F16', v: 'F16' } as const;

describe('the types of the cache', () => {
  it.each<[CacheOptions, object]>([
    [{}, usual],
    [{ cacheTypeK: 'q8_0' }, { k: 'Q8_0', v: 'F16' }],
    [
      { cacheTypeK: 'F32', cacheTypeV: 'Q4_0' },
      { k: 'F32', v: 'Q4_0' },
    ],
  ])('%j are read', (options, expected) => {
    expect(readCacheTypes(options, usual)).toEqual(expected);
  });

  it('are refused by the flag that is wrong', () => {
    expect(() => readCacheTypes({ cacheTypeV: 'q5_1' }, exactCache)).toThrow(
      expect.objectContaining({
        code: 'usage-bad-cache-type',
        message: "--cache-type-v must be one of f32, f16, q8_0, q4_0, not 'q5_1'.",
      }),
    );
  });

  it('are said in a word where they are equal', () => {
    expect(describeCacheTypes(usual)).toBe('F16');
    expect(describeCacheTypes({ k: 'Q8_0', v: 'F16' })).toBe('Q8_0 keys and F16 values');
  });
});
