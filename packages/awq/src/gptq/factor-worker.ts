// A thread of a factorization: does its share, says how it went, and ends.
import { parentPort, workerData } from 'node:worker_threads';
import { FactorTeam } from './factor-team.ts';
import { factorTiles } from './factor-tiles.ts';
import { TileProducts } from './tile-products.ts';
import { TriangleTiles } from './triangle-tiles.ts';

export interface FactorWork {
  readonly module: WebAssembly.Module;
  readonly size: number;
  readonly buffer: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly members: number;
  readonly own: number;
}

const { module, size, buffer, control, members, own } = workerData as FactorWork;
const team = new FactorTeam(members, own, control);
parentPort!.postMessage(factorTiles(new TriangleTiles(size, buffer), new TileProducts(module), team));
