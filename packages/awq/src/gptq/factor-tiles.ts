// The factor of inverse-factor.ts tile by tile, by a team of threads. Tiles of H = R Rᵀ, R and U = R⁻¹ upper triangular:
//   R_ij = (H_ij − Σ R_ik R_jkᵀ) U_jjᵀ         k > j, column by column from the last
//   U_jj = R_jj⁻¹                              by inverse-factor.ts
//   U_ij = −(Σ U_ik R_kj) U_jj                 i ≤ k < j, row by row from the first, with U_ii R_ij as its first term
// R_jj itself is never needed. Every sum has one order, so the result does not depend on the number of threads.
import type { FactorTeam } from './factor-team.ts';
import { inverseFactor } from './inverse-factor.ts';
import type { TileProducts } from './tile-products.ts';
import { edge, type TriangleTiles } from './triangle-tiles.ts';

/** One member's share of turning H into U in place. @returns false when H is not positive definite */
export function factorTiles(tiles: TriangleTiles, products: TileProducts, team: FactorTeam): boolean {
  for (let j = tiles.count - 1; j >= 0; j--) {
    team.share(j + 1, (task) => sumTile(tiles, products, team, j - task, j)); // the diagonal first: it takes longest
    if (team.hasFailed) return false;
    products.rightTransposed(tiles.tile(j, j));
    team.share(j, (i) => {
      products.sum.fill(0);
      products.add(tiles.tile(i, j));
      tiles.tile(i, j).set(products.sum);
    });
  }
  invertRows(tiles, products, team);
  return true;
}

/** Tile (i, j) becomes H_ij − Σ R_ik R_jkᵀ, and on the diagonal U_jj. */
function sumTile(tiles: TriangleTiles, products: TileProducts, team: FactorTeam, i: number, j: number): void {
  const { sum } = products;
  sum.set(tiles.tile(i, j));
  for (let k = j + 1; k < tiles.count; k++) {
    products.rightTransposed(tiles.tile(j, k));
    products.subtract(tiles.tile(i, k));
  }
  if (i === j && !inverseFactor(sum, edge)) team.fail();
  tiles.tile(i, j).set(sum);
}

/** A row of U wants only R of the rows below: members take neighbouring rows and put them in place when all are done. */
function invertRows(tiles: TriangleTiles, products: TileProducts, team: FactorTeam): void {
  const { count } = tiles;
  for (let first = 0; first < count; first += team.members) {
    const i = first + team.own;
    const row = i < count ? invertedRow(tiles, products, i) : [];
    team.wait();
    for (const [place, tile] of row.entries()) tiles.tile(i, i + 1 + place).set(tile);
  }
  team.wait();
}

/** U_ij for all j > i. */
function invertedRow(tiles: TriangleTiles, products: TileProducts, i: number): Float64Array[] {
  const row: Float64Array[] = [];
  for (let j = i + 1; j < tiles.count; j++) {
    products.sum.fill(0);
    products.right(tiles.tile(i, j));
    products.add(tiles.tile(i, i));
    for (let k = i + 1; k < j; k++) {
      products.right(tiles.tile(k, j));
      products.add(row[k - i - 1]!);
    }
    const terms = products.sum.slice();
    products.sum.fill(0);
    products.right(tiles.tile(j, j));
    products.subtract(terms);
    row.push(products.sum.slice());
  }
  return row;
}
