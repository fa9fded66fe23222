import type { Candidates } from '../candidates.ts';

/** The last step of a chain. */
export interface Choice {
  /** Place of the chosen candidate. */
  choose(candidates: Candidates): number;
}
