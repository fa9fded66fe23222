// "Did you mean …": the names that differ least from one that nobody knows.

// Longer names are no typing errors, and comparing them costs their product.
const maxLength = 200;

/** At most `count` of `known`, the nearest first; none when all differ by more than half of the name. */
export function nearestNames(name: string, known: Iterable<string>, count = 1): string[] {
  if (name.length > maxLength) return [];
  const lower = name.toLowerCase();
  return [...known]
    .filter((other) => other.length <= maxLength)
    .map((other) => ({ other, distance: distanceBetween(lower, other.toLowerCase()) }))
    .filter(({ other, distance }) => distance <= Math.max(name.length, other.length) / 2)
    .sort((a, b) => a.distance - b.distance || (a.other < b.other ? -1 : 1))
    .slice(0, count)
    .map(({ other }) => other);
}

/** Letters to insert, delete or replace (Levenshtein), row by row. */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
