// How well a text has reached every matrix of a model. In a mixture of experts the router sends some experts few tokens,
// or none: then there is no importance for them, and quantizers fall back to treating all their columns alike. A larger
// text helps, so a run may go on until each expert has seen a least number of rows.
import type { ImportanceEntry } from '../imatrix/importance-matrix.ts';

export interface Shortfall {
  readonly tensor: string;
  /** Indices of the experts (0 for a plain matrix) with fewer rows than wanted. */
  readonly matrices: readonly number[];
}

/** Weights of which some matrix has seen fewer than `rows` rows. `rows` 1 finds the experts that never fired. */
export function shortfalls(entries: ReadonlyMap<string, ImportanceEntry>, rows: number): Shortfall[] {
  return [...entries].flatMap(([tensor, { counts }]) => {
    const matrices = [...counts.keys()].filter((m) => counts[m]! < rows);
    return matrices.length > 0 ? [{ tensor, matrices }] : [];
  });
}
