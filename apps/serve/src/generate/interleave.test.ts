import { describe, expect, it } from 'vitest';
import { interleave } from './interleave.ts';

const ended: string[] = [];
async function* count(name: string, values: number[], fails = false): AsyncGenerator<string> {
  try {
    for (const value of values) yield `${name}${value}`;
    if (fails) throw new Error(`${name} failed`);
  } finally {
    ended.push(name);
  }
}

describe('interleaved streams', () => {
  it('give all values, each stream in its order', async () => {
    const seen: string[][] = [[], [], []];
    for await (const { index, value } of interleave([count('a', [1, 2, 3]), count('b', []), count('c', [1, 2])]))
      seen[index]!.push(value);
    expect(seen).toEqual([['a1', 'a2', 'a3'], [], ['c1', 'c2']]);
  });

  it('all end when one fails, or when the reader leaves', async () => {
    ended.length = 0;
    const failing = async () => {
      for await (const _ of interleave([count('a', [1], true), count('b', [1, 2, 3, 4, 5])]));
    };
    await expect(failing()).rejects.toThrow('a failed');
    expect(ended.sort()).toEqual(['a', 'b']);
    for await (const _ of interleave([count('c', [1, 2]), count('d', [1, 2])])) break;
    expect(ended.sort()).toEqual(['a', 'b', 'c', 'd']);
  });
});
