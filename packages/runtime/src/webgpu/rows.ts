// Ranges of rows, cut further than buffers ask for.
import type { Rows } from './kernel.ts';

/** `rows` in parts of `most` at most. */
export function inParts({ first, count, of }: Rows, most: number): readonly Rows[] {
  const parts: Rows[] = [];
  for (let done = 0; done < count; done += most)
    parts.push({ first: first + done, count: Math.min(most, count - done), of });
  return parts;
}
