import { describe, expect, it, type MockInstance, vi } from 'vitest';
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

  it('are each looked at for their own values alone', async () => {
    const waits: MockInstance[] = [];
    const streams = Array.from({ length: 300 }, () => {
      const stream = count('s', [1, 2, 3]);
      const next = stream.next.bind(stream);
      stream.next = () => {
        const result = next();
        // Who waits for a promise asks it to call back.
        waits.push(vi.spyOn(result, 'then'));
        return result;
      };
      return stream;
    });
    let values = 0;
    for await (const _ of interleave(streams)) values++;
    expect(values).toBe(900);
    expect(waits.map(({ mock }) => mock.calls.length)).toEqual(Array.from({ length: 1200 }, () => 1));
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
