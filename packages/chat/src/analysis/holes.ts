// Ids and numbers of calls differ from call to call: in a mark they are holes.
import { words } from './probe.ts';
import { commonPrefix, commonSuffix } from './text-parts.ts';

export const holeMark = '\u0000';
export const hole = (text: string): string => text.replace(words.id, holeMark).replace(words.otherId, holeMark);

/** What differs between two calls, a number say, stands in a hole. */
export function withHole(one: string, other: string): string[] {
  const [a, b] = [hole(one), hole(other)];
  if (a === b) return a.split(holeMark);
  const front = commonPrefix(a, b);
  return [front, commonSuffix(a.slice(front.length), b.slice(front.length))];
}
