// A set of Unicode characters as sorted, disjoint, non-adjacent ranges: [first, last, first, last, …]. Surrogates are in no
// set: they are no characters, and UTF-8 has no place for them.

export type CodePointSet = readonly number[];

export const allCharacters: CodePointSet = [0, 0xd7ff, 0xe000, 0x10ffff];
export const noCharacters: CodePointSet = [];

/** From ranges in any order, which may overlap; surrogates are taken out. */
export function setOfRanges(ranges: Iterable<readonly [number, number]>): CodePointSet {
  const sorted = [...ranges].filter(([first, last]) => first <= last).sort((a, b) => a[0] - b[0]);
  const merged: number[] = [];
  for (const [first, last] of sorted) {
    const end = merged.length - 1;
    if (end > 0 && first <= merged[end]! + 1) merged[end] = Math.max(merged[end]!, last);
    else merged.push(first, last);
  }
  return intersection(merged, allCharacters);
}

export const setOf = (...characters: readonly string[]): CodePointSet =>
  setOfRanges(characters.map((character) => [character.codePointAt(0)!, character.codePointAt(0)!] as const));

export const range = (first: string, last: string): CodePointSet =>
  setOfRanges([[first.codePointAt(0)!, last.codePointAt(0)!]]);

export const union = (...sets: readonly CodePointSet[]): CodePointSet => setOfRanges(sets.flatMap(rangesOf));

export function rangesOf(set: CodePointSet): [number, number][] {
  return Array.from({ length: set.length / 2 }, (_, i) => [set[2 * i]!, set[2 * i + 1]!]);
}

export function intersection(a: CodePointSet, b: CodePointSet): CodePointSet {
  const common: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const first = Math.max(a[i]!, b[j]!);
    const last = Math.min(a[i + 1]!, b[j + 1]!);
    if (first <= last) common.push(first, last);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return common;
}

export function complement(set: CodePointSet): CodePointSet {
  const rest: number[] = [];
  let next = 0;
  for (const [first, last] of rangesOf(set)) {
    if (next < first) rest.push(next, first - 1);
    next = last + 1;
  }
  if (next <= 0x10ffff) rest.push(next, 0x10ffff);
  return intersection(rest, allCharacters);
}

export const difference = (a: CodePointSet, b: CodePointSet): CodePointSet => intersection(a, complement(b));

export function contains(set: CodePointSet, codePoint: number): boolean {
  let low = 0;
  let high = set.length / 2 - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (codePoint > set[2 * middle + 1]!) low = middle + 1;
    else high = middle;
  }
  return low <= high && codePoint >= set[2 * low]! && codePoint <= set[2 * low + 1]!;
}
