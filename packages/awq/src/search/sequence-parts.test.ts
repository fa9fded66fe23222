import { expect, it } from 'vitest';
import { sequenceParts } from './sequence-parts.ts';

it('eight of many long sequences, from everywhere in the text, and so are the first two', () => {
  const parts = sequenceParts(Array.from({ length: 128 }, () => 512));
  expect(parts.map((part) => part.length)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  const places = parts.flat().sort((a, b) => a - b);
  for (let eighth = 0; eighth < 8; eighth++)
    expect(places.some((place) => Math.abs(place - 16 * eighth - 8) <= 16)).toBe(true);
  expect(Math.abs(parts[0]![0]! - parts[1]![0]!)).toBeGreaterThan(32);
});

it('short sequences are bundled, each is used once', () => {
  const parts = sequenceParts(Array.from({ length: 1000 }, () => 60));
  expect(parts).toHaveLength(8);
  for (const part of parts) expect(part).toHaveLength(9); // 540 tokens
  expect(new Set(parts.flat()).size).toBe(72);
});

it('little text is used as a whole', () => {
  expect(sequenceParts([512, 512, 512]).flat().sort()).toEqual([0, 1, 2]);
  expect(sequenceParts([64])).toEqual([[0]]);
});
