// Σ x xᵀ over the rows x of an input: all that the squared error of a linear layer depends on. With D = W − W′,
//   Σ ‖D x‖² = Σ over rows d of D:  dᵀ G d        G = Σ x xᵀ  [C, C]
// so the error of any W′ costs the same however many tokens there are, and the inputs need not be kept.
import type { Device } from '@quern/runtime';
import { bytesOf, floatsOf } from './layer-weights.ts';

/** Rows of G computed at a time, up to the diagonal: the fewer, the less is computed twice. */
const panelRows = 512;

/** Device bytes of one panel of a Gram matrix that deltas are multiplied with. */
const panelBytes = 128 * 2 ** 20;

export class Gram {
  readonly width: number;
  /** [width, width], both halves. */
  readonly sums: Float32Array;

  constructor(width: number) {
    this.width = width;
    this.sums = new Float32Array(width * width);
  }

  /** Adds the rows of `inputs` [rows, width]. */
  async add(device: Device, inputs: Float32Array): Promise<void> {
    const { width, sums } = this;
    const rows = inputs.length / width;
    const columns = device.alloc('F32', [width, rows], 'inputs');
    device.write(columns, bytesOf(transposed(inputs, rows, width)));
    try {
      for (let first = 0; first < width; first += panelRows) {
        const count = Math.min(panelRows, width - first);
        const seen = first + count; // columns beyond mirror rows to come
        const product = device.alloc('F32', [count, seen], 'panel');
        const x = device.view(columns, [count, rows], 4 * first * rows);
        device.run('matmul', [x, device.view(columns, [seen, rows])], product, {});
        const values = floatsOf(await device.read(product));
        device.free(product);
        for (let i = 0; i < count; i++) {
          const row = (first + i) * width;
          for (let j = 0; j <= first + i; j++) {
            const sum = sums[row + j]! + values[i * seen + j]!;
            sums[row + j] = sum;
            sums[j * width + first + i] = sum;
          }
        }
      }
    } finally {
      device.free(columns);
    }
  }
}

/** dᵀ G d of every row d of `deltas` [rows, width], added up. */
export async function gramError(device: Device, deltas: Float32Array, { width, sums }: Gram): Promise<number> {
  const perRow = await gramErrors(device, deltas, sums, width);
  let total = 0;
  for (const error of perRow) total += error;
  return total;
}

/** dᵀ G d of every row d of `deltas` [rows, width]; `gram` [width, width] is symmetric. */
export async function gramErrors(
  device: Device,
  deltas: Float32Array,
  gram: Float32Array,
  width: number,
): Promise<Float64Array> {
  const rows = deltas.length / width;
  const errors = new Float64Array(rows);
  const panel = Math.min(width, Math.max(16, Math.floor(panelBytes / (4 * width))));
  const step = Math.min(rows, Math.max(16, Math.floor(panelBytes / (4 * width))));
  for (let firstCol = 0; firstCol < width; firstCol += panel) {
    const cols = Math.min(panel, width - firstCol);
    const w = device.alloc('F32', [cols, width], 'Gram panel');
    device.write(w, bytesOf(gram.subarray(firstCol * width, (firstCol + cols) * width)));
    for (let firstRow = 0; firstRow < rows; firstRow += step) {
      const count = Math.min(step, rows - firstRow);
      const x = device.alloc('F32', [count, width], 'deltas');
      const y = device.alloc('F32', [count, cols], 'product');
      device.write(x, bytesOf(deltas.subarray(firstRow * width, (firstRow + count) * width)));
      device.run('matmul', [x, w], y, {});
      const product = floatsOf(await device.read(y));
      device.free(x);
      device.free(y);
      for (let i = 0; i < count; i++) {
        let error = 0;
        const from = (firstRow + i) * width + firstCol;
        for (let j = 0; j < cols; j++) error += deltas[from + j]! * product[i * cols + j]!;
        errors[firstRow + i] += error;
      }
    }
    device.free(w);
  }
  return errors;
}

function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols; col++) turned[col * rows + row] = values[row * cols + col]!;
  return turned;
}
