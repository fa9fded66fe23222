// The tile of y that a workgroup computes in the matmuls for many tokens: 64 rows of weights and 32 or 64 tokens, 4 × 4
// numbers per lane. The four rows and the four tokens of a lane lie as far apart as the tile allows, so that neighbouring
// lanes read neighbours.
import { each } from '../../webgpu/each.ts';
import type { Team } from '../../webgpu/team.ts';

export const TILE_ROWS = 64;
export const LANES_PER_ROWS = TILE_ROWS / 4;

export const tileTeam = (tokens: number): Team => {
  const lanes = LANES_PER_ROWS * (tokens / 4);
  return {
    lanes,
    workgroupSize: lanes,
    itemsPerWorkgroup: 1,
    memory: 'workgroup',
    barrier: 'workgroupBarrier();',
    usesSubgroups: false,
  };
};

/** Where a tile's tokens and rows are, and where its results go. */
export interface TilePlaces {
  /** Statements before the rest: they define `r`, the tile's first row, `rows`, how many rows there are, and what follows. */
  readonly begin: string;
  /** The row of x of the tile's token `token`, an expression in range for every token of the tile. */
  readonly xRow: (token: string) => string;
  /** Byte of w at which row `row` (below `rows`) begins. */
  readonly wRow: (row: string) => string;
  /** Stores `value` as row `row` of token `token`, if there are both. */
  readonly store: (token: string, row: string, value: string) => string;
}

export const tileLanesWgsl = `
  let my_row = lane % ${LANES_PER_ROWS}u;
  let my_token = lane / ${LANES_PER_ROWS}u;
`;

/** @param sum the expression for token i and row j of the lane */
export const storeTile = (tokens: number, { store }: TilePlaces, sum: (i: number, j: number) => string): string =>
  each(4, (i) =>
    each(4, (j) => store(`my_token + ${(i * tokens) / 4}u`, `my_row + ${j * LANES_PER_ROWS}u`, sum(i, j))),
  );
