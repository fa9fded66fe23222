// The WASM products of tiles (../wasm/tiles.entry.wasm.ts) on a small memory of one thread: tiles are copied in and out,
// which is little beside a product, and so the matrix may be larger than the 4 GiB that WASM can address.
import { readFile } from 'node:fs/promises';
import { edge } from './triangle-tiles.ts';

interface Kernels {
  heapBase(): number;
  pack(src: number, dst: number): void;
  packTransposed(src: number, dst: number): void;
  addProduct(a: number, packed: number, c: number, sign: number): void;
}

const wasmFile = new URL(import.meta.url.endsWith('.ts') ? '../../dist/tiles.wasm' : '../tiles.wasm', import.meta.url);

/** Can be posted to workers. */
export async function compileTileProducts(): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(wasmFile));
}

const tileBytes = 8 * edge * edge;

/** Tiles are [128, 128], row by row. */
export class TileProducts {
  /** The running sum: what `add` and `subtract` change. */
  readonly sum: Float64Array;
  readonly #left: Float64Array;
  readonly #right: Float64Array;
  readonly #packed: Float64Array;
  readonly #kernels: Kernels;

  constructor(module: WebAssembly.Module) {
    const pages = Math.ceil((2 * 65536 + 4 * tileBytes) / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const abort = (): never => {
      throw new Error('A tile kernel failed.');
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
    this.#kernels = exports as unknown as Kernels;
    const base = Math.ceil(this.#kernels.heapBase() / 64) * 64;
    const place = (index: number) => new Float64Array(memory.buffer, base + index * tileBytes, edge * edge);
    [this.sum, this.#left, this.#right, this.#packed] = [place(0), place(1), place(2), place(3)];
  }

  /** The right factor of the products to come. */
  right(tile: Float64Array): void {
    this.#right.set(tile);
    this.#kernels.pack(this.#right.byteOffset, this.#packed.byteOffset);
  }

  /** The transpose of `tile` as right factor. */
  rightTransposed(tile: Float64Array): void {
    this.#right.set(tile);
    this.#kernels.packTransposed(this.#right.byteOffset, this.#packed.byteOffset);
  }

  /** sum += left · right */
  add(left: Float64Array): void {
    this.#multiply(left, 1);
  }

  /** sum −= left · right */
  subtract(left: Float64Array): void {
    this.#multiply(left, -1);
  }

  #multiply(left: Float64Array, sign: number): void {
    this.#left.set(left);
    this.#kernels.addProduct(this.#left.byteOffset, this.#packed.byteOffset, this.sum.byteOffset, sign);
  }
}
