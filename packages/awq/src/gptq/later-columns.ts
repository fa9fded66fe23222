// The weights of a strip of rows on the device, column by column in the order of quantization. Blocks of 128 columns are
// taken off to be rounded; their errors are then taken from all columns behind, as one matrix product.
import type { Device, Tensor } from '@quern/runtime';
import { bytesOf, floatsOf } from '../layer/layer-weights.ts';
import { edge, type TriangleTiles } from './triangle-tiles.ts';

/** Columns that are corrected at a time. */
const partCols = 2048;

export class LaterColumns {
  readonly #device: Device;
  readonly #width: number;
  readonly #height: number;
  /** [width, height] */
  readonly #values: Tensor;

  /** @param values [width, height] */
  constructor(device: Device, values: Float32Array, width: number, height: number) {
    this.#device = device;
    [this.#width, this.#height] = [width, height];
    this.#values = device.alloc('F32', [width, height], 'columns');
    device.write(this.#values, bytesOf(values));
  }

  /** Columns from `first` on, [count, height]. */
  async read(first: number, count: number): Promise<Float32Array> {
    return floatsOf(await this.#device.read(this.#values, 4 * first * this.#height, 4 * count * this.#height));
  }

  /** Takes the errors of block `block`, [height, 128], from all columns behind it. */
  spread(errors: Float32Array, factor: TriangleTiles, block: number): void {
    const device = this.#device;
    const [width, height] = [this.#width, this.#height];
    const behind = (block + 1) * edge;
    if (behind >= width) return;
    const e = device.alloc('F32', [height, edge], 'errors');
    device.write(e, bytesOf(errors));
    for (let from = behind; from < width; from += partCols) {
      const part = Math.min(partCols, width - from);
      const u = device.alloc('F32', [part, edge], 'shares');
      const product = device.alloc('F32', [part, height], 'corrections');
      const columns = device.view(this.#values, [part, height], 4 * from * height);
      device.write(u, bytesOf(shares(factor, block, from, part)));
      device.run('matmul', [u, e], product, {});
      device.run('add', [columns, product], columns, {});
      device.free(u);
      device.free(product);
    }
    device.free(e);
  }

  dispose(): void {
    this.#device.free(this.#values);
  }
}

/** −U of block `block` for the columns from … from+count−1, [count, 128]; `from` is a multiple of 128. */
function shares(factor: TriangleTiles, block: number, from: number, count: number): Float32Array {
  const turned = new Float32Array(count * edge);
  for (let first = 0; first < count; first += edge) {
    const tile = factor.tile(block, (from + first) / edge);
    for (let c = 0; c < Math.min(edge, count - first); c++)
      for (let i = 0; i < edge; i++) turned[(first + c) * edge + i] = -tile[i * edge + c]!;
  }
  return turned;
}
