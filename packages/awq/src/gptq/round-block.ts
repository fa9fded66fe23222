// Rounds a block of up to 128 columns in a strip of rows (../wasm/columns.entry.wasm.ts):
//   e = (w_i − q_i) / U_ii,   w_k −= e · U_ik for the columns k > i of the block
import { readFile } from 'node:fs/promises';
import { edge } from './triangle-tiles.ts';

/** Rows of a strip, a multiple of 4. */
export const stripRows = 1024;

interface Kernels {
  heapBase(): number;
  roundColumns(
    values: number,
    scales: number,
    zeros: number,
    shares: number,
    codes: number,
    height: number,
    from: number,
    to: number,
    count: number,
    top: number,
  ): void;
}

const wasmFile = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/columns.wasm' : '../columns.wasm',
  import.meta.url,
);

let compiled: Promise<WebAssembly.Module> | undefined;

export class BlockRounder {
  /** [columns, height] of the block, `height` as given to `round`; columns that are rounded hold their errors. */
  readonly values: Float32Array;
  /** Of the group that is rounded next, one per row. */
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
  /** [columns, height] */
  readonly codes: Uint8Array;
  readonly #shares: Float32Array;
  readonly #kernels: Kernels;

  static async create(): Promise<BlockRounder> {
    compiled ??= readFile(wasmFile).then((bytes) => WebAssembly.compile(bytes));
    return new BlockRounder(await compiled);
  }

  private constructor(module: WebAssembly.Module) {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 16, shared: true });
    const abort = (): never => {
      throw new Error('The kernel of columns failed.');
    };
    const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
    this.#kernels = exports as unknown as Kernels;
    let next = Math.ceil(this.#kernels.heapBase() / 64) * 64;
    const floats = (count: number): Float32Array => {
      const array = new Float32Array(memory.buffer, next, count);
      next += array.byteLength;
      return array;
    };
    this.values = floats(edge * stripRows);
    this.scales = floats(stripRows);
    this.zeros = floats(stripRows);
    this.#shares = floats(edge * edge);
    this.codes = new Uint8Array(memory.buffer, next, edge * stripRows);
  }

  /** @param tile of U on the diagonal, [128, 128] */
  setFactor(tile: Float64Array): void {
    this.#shares.set(tile);
  }

  /** Rounds columns from … to−1, all of one group; `count` columns are in the block, `height` % 4 = 0 rows. */
  round({ height, count }: { height: number; count: number }, from: number, to: number, bits: number): void {
    const { values, scales, zeros, codes } = this;
    this.#kernels.roundColumns(
      values.byteOffset,
      scales.byteOffset,
      zeros.byteOffset,
      this.#shares.byteOffset,
      codes.byteOffset,
      height,
      from,
      to,
      count,
      2 ** bits - 1,
    );
  }
}
