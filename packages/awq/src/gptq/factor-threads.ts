// Factors H on several threads. Small matrices are done at once, since starting threads would take longer.
import { spawnWorker } from '@quern/workers';
import { FactorTeam } from './factor-team.ts';
import { factorTiles } from './factor-tiles.ts';
import type { FactorWork } from './factor-worker.ts';
import { compileTileProducts, TileProducts } from './tile-products.ts';
import type { TriangleTiles } from './triangle-tiles.ts';

/** Tiles along a side from which on threads pay: 1024 columns, a tenth of a second. */
const leastCount = 8;

let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * Turns H (only its upper triangle is read) into U, upper triangular, with H⁻¹ = Uᵀ U. The result does not depend on
 * `threads`.
 * @returns false when H is not positive definite; `tiles` then hold nothing of use
 */
export async function factorOnThreads(tiles: TriangleTiles, threads: number): Promise<boolean> {
  compiled ??= compileTileProducts();
  const module = await compiled;
  const members = Math.min(threads, tiles.count);
  if (members === 1 || tiles.count < leastCount)
    return factorTiles(tiles, new TileProducts(module), new FactorTeam(1, 0));
  const { size, buffer } = tiles;
  const { control } = new FactorTeam(members, 0);
  const workers = Array.from({ length: members }, (_, own) => {
    const workerData: FactorWork = { module, size, buffer, control, members, own };
    return spawnWorker(new URL('./factor-worker.ts', import.meta.url), import.meta.url, { workerData });
  });
  try {
    const answers = workers.map(
      (worker) =>
        new Promise<boolean>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
          worker.once('exit', (code) => reject(new Error(`A thread of the factorization ended with code ${code}.`)));
        }),
    );
    return (await Promise.all(answers)).every((isPositive) => isPositive);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
