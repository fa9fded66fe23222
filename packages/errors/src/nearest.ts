// What somebody may have meant by a name that does not exist.

/**
 * The names at the smallest distance, if that is small for the length of what was written: at most three, in the order
 * of `names`. Case does not count, nor do dashes and underscores.
 */
export function nearest(written: string, names: readonly string[]): string[] {
  const wanted = plain(written);
  const ranked = names.map((name) => ({ name, distance: editDistance(wanted, plain(name)) }));
  const least = Math.min(...ranked.map(({ distance }) => distance));
  if (wanted.length === 0 || least > Math.max(1, Math.floor(wanted.length / 3))) return [];
  return ranked.flatMap(({ name, distance }) => (distance === least ? [name] : [])).slice(0, 3);
}

const plain = (name: string): string => name.toLowerCase().replace(/[-_]/g, '').slice(0, 64);

/** Letters put in, left out, replaced, or exchanged with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! + 1 : Infinity;
      row.push(Math.min(last[j]! + 1, row[j - 1]! + 1, replaced, exchanged));
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
