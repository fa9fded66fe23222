// How many queries, and by how many lanes, a workgroup works on.
import type { WgslCall } from '../../webgpu/kernel.ts';
import { single, type Team, teamOf } from '../../webgpu/team.ts';
import type { AttentionShape } from './scores.wgsl.ts';

/** Queries whose sums of values fit a lane's registers. */
const MAX_QUERIES = 16;

/** Dimensions of a head that are read at a time. */
export const CHUNK = 32;
/** Numbers from one position's values in workgroup memory to the next: odd, so that lanes hit different banks. */
export const VALUE_STRIDE = CHUNK + 1;

const chunksOf = (headDim: number): number => Math.ceil(headDim / CHUNK);

/** Workgroup memory: queries, powers, values of one chunk, and the arrays of two reductions. */
const sharedBytes = (headDim: number, queries: number, lanes: number): number =>
  4 * queries * chunksOf(headDim) * CHUNK +
  16 * Math.ceil(queries / 4) * (lanes + 1) +
  4 * lanes * VALUE_STRIDE +
  2 * 16 * lanes;

/** @param tokens of one sequence that follow each other */
export function shapeFor({ params, capabilities, weight }: WgslCall<'attention'>, tokens: number): AttentionShape {
  const { heads, kvHeads, headDim } = params;
  const shape = { allHeads: heads, kvHeads, headDim, kType: weight('kCache'), vType: weight('vCache') };
  const fits = (queries: number, { lanes }: Team) =>
    sharedBytes(headDim, queries, lanes) <= capabilities.workgroupBytes;
  const team = [64, 32, 16].map((lanes) => teamOf(lanes, capabilities)).find((one) => one.lanes > 1 && fits(1, one));
  if (!team) return { ...shape, heads: 1, tokens: 1, team: single };
  const group = heads / kvHeads;
  const together = largest(Math.min(group, MAX_QUERIES), (count) => group % count === 0 && fits(count, team));
  const most = Math.min(tokens, Math.floor(MAX_QUERIES / together));
  return { ...shape, heads: together, tokens: largest(most, (count) => fits(count * together, team)), team };
}

/** The largest number from `most` down that is good; 1 when none is. */
function largest(most: number, isGood: (count: number) => boolean): number {
  let count = most;
  while (count > 1 && !isGood(count)) count--;
  return count;
}
