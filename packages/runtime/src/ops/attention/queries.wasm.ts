// What attention's kernels keep in a thread's scratch: a tile of decoded keys or values, and up to 16 queries that look
// at the same head of one sequence.
//
// Positions are cut at multiples of SPAN and, within, of the tile, wherever a query begins or ends: what is added to what,
// and in which order, depends on a query's own positions alone, not on the queries beside it.

/** Positions whose softmax is finished before the next ones; what threads share when there are few queries. */
export const SPAN: usize = 512;
const MOST_QUERIES: usize = 16;
/** Queries together have so many numbers. */
const QUERY_FLOATS: usize = 2048;
const TILE_FLOATS: usize = 4096;
const MOST_POSITIONS: usize = 32;

// Scratch, in bytes.
/** Rows of the tile, unless they are floats in the cache already. */
export const ROWS: usize = 0;
/** Address of the row of each position of the tile. */
export const ADDRESSES: usize = ROWS + TILE_FLOATS * 4;
/** Number of the cell of each position of the tile. */
export const CELLS: usize = ADDRESSES + MOST_POSITIONS * 4;
/** Scores, later weights, of each query. */
export const SCORES: usize = CELLS + MOST_POSITIONS * 4;
export const SCORE_BYTES: usize = MOST_POSITIONS * 4;
/** Σ weight · value of each query over the span so far. */
export const SUMS: usize = SCORES + MOST_QUERIES * SCORE_BYTES;
const QUERIES: usize = SUMS + QUERY_FLOATS * 4;
const QUERY_BYTES: usize = 56;
/** What was read ahead, kept so that the compiler does not drop the reading. */
export const SEEN: usize = QUERIES + MOST_QUERIES * QUERY_BYTES;

@inline export function mostQueries(valueDim: usize): usize { return min(MOST_QUERIES, QUERY_FLOATS / valueDim); }

/** Positions of a tile: 32, or the power of two that TILE_FLOATS hold. */
export function tilePositions(headDim: usize): usize {
  let positions = MOST_POSITIONS;
  while (positions * headDim > TILE_FLOATS) positions >>= 1;
  return positions;
}

// A query: its place and positions, what it looks at in this tile, and the softmax of this span and of those before.
@inline export function queryAt(scratch: usize, index: usize): usize { return scratch + QUERIES + index * QUERY_BYTES; }
@inline export function vectorOf(query: usize): usize { return load<u32>(query); }
@inline export function outputOf(query: usize): usize { return load<u32>(query, 4); }
@inline export function firstOf(query: usize): usize { return load<u32>(query, 8); }
@inline export function lastOf(query: usize): usize { return load<u32>(query, 12); }
/** Positions of the tile that it looks at: low … high − 1, none when they are equal. */
@inline export function lowOf(query: usize): usize { return load<u32>(query, 16); }
@inline export function highOf(query: usize): usize { return load<u32>(query, 20); }
@inline export function spanSoftmax(query: usize): usize { return query + 24; }
@inline export function joinedSoftmax(query: usize): usize { return query + 40; }

@inline
export function setQuery(query: usize, vector: usize, output: usize, first: usize, last: usize): void {
  store<u32>(query, <u32>vector);
  store<u32>(query, <u32>output, 4);
  store<u32>(query, <u32>first, 8);
  store<u32>(query, <u32>last, 12);
}

/** What a query looks at in the tile of positions `from` … `from + count - 1`. */
@inline
export function setTileRange(query: usize, from: usize, count: usize): void {
  const first = firstOf(query), last = lastOf(query);
  const low = first > from ? min(first - from, count) : 0;
  const high = last >= from ? min(last - from + 1, count) : 0;
  store<u32>(query, <u32>low, 16);
  store<u32>(query, <u32>max(low, high), 20);
}

// A softmax: the largest score (f32) and, 8 bytes on, Σ e^(score − largest) (f64).
export const SOFTMAX_BYTES: usize = 16;
@inline export function largest(softmax: usize): f32 { return load<f32>(softmax); }
@inline export function total(softmax: usize): f64 { return load<f64>(softmax, 8); }
@inline export function clearSoftmax(softmax: usize): void { setSoftmax(softmax, -Infinity, 0); }
@inline
export function setSoftmax(softmax: usize, largest: f32, total: f64): void {
  store<f32>(softmax, largest);
  store<f64>(softmax, total, 8);
}
@inline export function copySoftmax(to: usize, from: usize): void { setSoftmax(to, largest(from), total(from)); }
