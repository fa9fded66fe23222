// How wide things are on a terminal.

/** Code points, not UTF-16 units: names of models are not always ASCII. */
export const textWidth = (text: string): number => [...text].length;

/**
 * Columns that a line of results may take. Those of the terminal; where there is none, what COLUMNS says; otherwise any
 * number, as a pipe has no edge and `grep` wants whole names.
 */
export function outputWidth(
  output: { readonly isTTY?: boolean; readonly columns?: number } = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): number {
  const said = Number(env.COLUMNS) > 0 ? Number(env.COLUMNS) : undefined;
  if (!output.isTTY) return said ?? Number.POSITIVE_INFINITY;
  // A pseudo-terminal that nobody gave a size says 0.
  return output.columns || (said ?? 80);
}

/** `text` in at most `columns`, with … for what was taken out of its middle: names differ at both ends. */
export function shortened(text: string, columns: number): string {
  const points = [...text];
  if (points.length <= columns) return text;
  const kept = Math.max(0, columns - 1);
  const head = Math.ceil(kept / 2);
  return [...points.slice(0, head), '…', ...points.slice(points.length - (kept - head))].join('');
}
