// A grid to search in: the rank of a point, and for vectors of codes that are no points, the points around them.
// Source: ggml-quants.c iq2xs_init_impl, iq3xs_init_impl, which build the same lists for all vectors beforehand.
import { iq1Points, iq2sPoints, iq2xsPoints, iq2xxsPoints, iq3sPoints, iq3xxsPoints } from './points.ts';

export interface Grid {
  /** Points by rank (points.ts). */
  readonly points: Uint16Array;
  /** Codes of a point, and bits of a code. */
  readonly codes: number;
  readonly fieldBits: number;
  /** The rank of a vector of codes, −1 when it is no point. */
  rankOf(vector: number): number;
  /** Ranks of the points around a vector that is none: nearest first, of equally near ones the lower rank first. */
  neighboursOf(vector: number): readonly number[];
}

/** Code `i` of a point or another vector. */
export const codeAt = (grid: Grid, vector: number, i: number): number =>
  (vector >> (grid.fieldBits * i)) & ((1 << grid.fieldBits) - 1);

/** @param rings how many different distances count as around a vector */
function gridOf(points: Uint16Array, codes: number, fieldBits: number, rings: number): Grid {
  const ranks = new Map(Array.from(points, (point, rank) => [point, rank]));
  const lists = new Map<number, number[]>();
  const grid: Grid = {
    points,
    codes,
    fieldBits,
    rankOf: (vector) => ranks.get(vector) ?? -1,
    neighboursOf(vector) {
      let list = lists.get(vector);
      if (!list) lists.set(vector, (list = around(vector)));
      return list;
    },
  };
  function around(vector: number): number[] {
    const byDistance: number[][] = [];
    for (const [rank, point] of points.entries()) {
      let distance = 0;
      for (let i = 0; i < codes; i++) distance += (codeAt(grid, point, i) - codeAt(grid, vector, i)) ** 2;
      byDistance[distance] ??= [];
      byDistance[distance].push(rank);
    }
    return byDistance
      .filter((ring) => ring)
      .slice(0, rings)
      .flat();
  }
  return grid;
}

export const iq2xxsGrid = gridOf(iq2xxsPoints, 8, 2, 2);
export const iq2xsGrid = gridOf(iq2xsPoints, 8, 2, 2);
export const iq2sGrid = gridOf(iq2sPoints, 8, 2, 1);
export const iq1Grid = gridOf(iq1Points, 8, 2, 3);
export const iq3xxsGrid = gridOf(iq3xxsPoints, 4, 3, 2);
export const iq3sGrid = gridOf(iq3sPoints, 4, 3, 3);
