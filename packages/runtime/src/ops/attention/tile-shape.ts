// How many queries, and by how many lanes, a workgroup works on.
import type { WgslCall } from '../../webgpu/kernel.ts';
import type { StoredType } from '../../webgpu/stored-type.ts';
import { single, type Team, teamOf } from '../../webgpu/team.ts';

export interface AttentionShape {
  readonly allHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  /** Numbers from one head's values to the next one's. */
  readonly valueStride: number;
  readonly kType: StoredType;
  readonly vType: StoredType;
  /** Heads and tokens of a tile; the heads divide those that share keys. */
  readonly heads: number;
  readonly tokens: number;
  readonly team: Team;
  readonly capped: boolean;
  readonly chunked: boolean;
  readonly causal: boolean;
}

/** Queries whose sums of values fit a lane's registers. */
const MAX_QUERIES = 16;

/** Dimensions of a head that are read at a time. */
export const CHUNK = 32;
/** Numbers from one position's values in workgroup memory to the next: odd, so that lanes hit different banks. */
export const VALUE_STRIDE = CHUNK + 1;

/** Numbers that the text of a shader is made from. */
export function sizesOf({ headDim, valueDim, heads, tokens, team }: AttentionShape) {
  const queries = heads * tokens;
  const width = team.lanes === 1 ? 1 : 4; // of a vector of queries
  const vectors = Math.ceil(queries / width);
  const chunkLanes = Math.min(team.lanes, CHUNK); // each sums its dimensions of a chunk
  const groups = Math.min(team.lanes / chunkLanes, vectors); // of lanes, each with its vectors of queries
  return {
    queries,
    width,
    vectors,
    chunkLanes,
    groups,
    vectorsPerLane: Math.ceil(vectors / groups),
    dimsPerLane: CHUNK / chunkLanes,
    keyChunks: Math.ceil(headDim / CHUNK),
    valueChunks: Math.ceil(valueDim / CHUNK),
    vector: width === 1 ? 'f32' : 'vec4<f32>',
    /** Query `i` within its vector `name_<n>`. */
    at: (name: string, i: number) => (width === 1 ? `${name}_${i}` : `${name}_${i >> 2}.${'xyzw'[i & 3]}`),
  };
}

const chunksOf = (headDim: number): number => Math.ceil(headDim / CHUNK);

/** Workgroup memory: queries, powers, values of one chunk, and the arrays of two reductions. */
const sharedBytes = (headDim: number, queries: number, lanes: number): number =>
  4 * queries * chunksOf(headDim) * CHUNK +
  16 * Math.ceil(queries / 4) * (lanes + 1) +
  4 * lanes * VALUE_STRIDE +
  2 * 16 * lanes;

/** @param tokens of one sequence that follow each other */
export function shapeFor(
  { dims, params, capabilities, weight }: WgslCall<'attention'>,
  tokens: number,
): AttentionShape {
  const { heads, kvHeads, headDim, softCap, chunk, causal = true } = params;
  const { valueDim, valueRow } = dims as { valueDim: number; valueRow: number };
  const shape = {
    ...{ allHeads: heads, kvHeads, headDim, valueDim, valueStride: valueRow / kvHeads },
    ...{ kType: weight('kCache'), vType: weight('vCache') },
    ...{ capped: softCap !== undefined, chunked: chunk !== undefined, causal },
  };
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
