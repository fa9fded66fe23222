// GPTQ (Frantar et al., arXiv 2210.17323): columns are rounded one after the other, and what rounding one does to the
// layer's output is made up for by the columns that are still to come.
//   e = (w_j − q_j) / U_jj,   w_k −= e · U_jk for k > j          U: inverse-factor.ts, of H = X Xᵀ / n + damp · mean(diag H)
// Within a block of 128 columns this is done at once; the columns behind the block get the sum, as one matrix product.
// With act-order the columns with the largest inputs come first. Their groups then are either the runs of that order
// (`groupOf` says which), or, where the format knows only runs of neighbours, fixed beforehand.
import { QuernError } from '@quern/errors';
import type { GroupedRows } from '@quern/packed';
import type { Device } from '@quern/runtime';
import { codeOf, type Grid, type GroupRange, groupRange } from '../grid/grid.ts';
import { halfRounded } from '../grid/half.ts';
import { type MatrixShape, requireHalf } from '../grid/quantized-matrix.ts';
import { bytesOf, floatsOf } from '../layer/layer-weights.ts';
import { inverseFactor } from './inverse-factor.ts';

const blockCols = 128;

export interface GptqOptions {
  readonly grid: Grid;
  /** Columns in the order of their inputs' energy. */
  readonly actOrder: boolean;
  /** The format can say which group a column belongs to. */
  readonly freeGroups: boolean;
  /** Share of the mean diagonal that is added to it. */
  readonly damp: number;
}

/**
 * @param weights [rows, cols]
 * @param gram [cols, cols] sum over `tokens` inputs
 * @throws QuernError `gptq-not-positive`, `quantize-scale-overflow`
 */
export async function quantizeGptq(
  device: Device,
  weights: Float32Array,
  shape: MatrixShape,
  { gram, tokens }: { gram: Float32Array; tokens: number },
  options: GptqOptions,
): Promise<GroupedRows> {
  const { rows, cols, tensor } = shape;
  const { grid, actOrder, freeGroups } = options;
  const order = columnOrder(gram, cols, actOrder);
  const factor = factorOf(gram, tokens, order, options, tensor);
  const groups = cols / grid.groupSize;
  const result = {
    codes: new Uint8Array(rows * cols),
    scales: new Float32Array(rows * groups),
    zeros: new Uint8Array(rows * groups),
  };
  const columns = new Columns(weights, rows, cols, order, gram);
  const isFixed = actOrder && !freeGroups;
  const groupAt = (place: number): number => Math.floor((isFixed ? order[place]! : place) / grid.groupSize);
  const setGroup = (group: number, values: Float32Array): void =>
    setRanges(result, group, groups, values, grid, tensor);
  if (isFixed) for (let group = 0; group < groups; group++) setGroup(group, columns.neighbours(group, grid.groupSize));

  for (let first = 0; first < cols; first += blockCols) {
    const count = Math.min(blockCols, cols - first);
    const errors = new Float32Array(rows * count);
    for (let i = 0; i < count; i++) {
      const place = first + i;
      if (!isFixed && place % grid.groupSize === 0)
        setGroup(place / grid.groupSize, columns.rows(place, grid.groupSize));
      roundColumn({
        columns,
        result,
        factor,
        place,
        group: groupAt(place),
        groups,
        order,
        grid,
        errors,
        i,
        count,
        first,
      });
    }
    await columns.spread(device, errors, factor, first, count);
  }
  const { codes, scales, zeros } = result;
  const { bits, groupSize, symmetric } = grid;
  return {
    rows,
    cols,
    groupSize,
    bits,
    codes,
    scales,
    ...(symmetric ? {} : { zeros }),
    ...(actOrder && freeGroups ? { groupOf: inverseGroups(order, groupSize) } : {}),
  };
}

interface Codes {
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  readonly zeros: Uint8Array;
}

interface Step {
  readonly columns: Columns;
  readonly result: Codes;
  readonly factor: Float64Array;
  readonly place: number;
  readonly group: number;
  readonly groups: number;
  readonly order: Int32Array;
  readonly grid: Grid;
  readonly errors: Float32Array;
  readonly i: number;
  readonly count: number;
  readonly first: number;
}

/** Rounds one column and lets the rest of its block make up for it. */
function roundColumn(step: Step): void {
  const { columns, result, factor, place, group, groups, order, grid, errors, i, count, first } = step;
  const { height, width, values } = columns;
  const top = 2 ** grid.bits - 1;
  const pivot = factor[place * width + place]!;
  const column = values.subarray(place * height, (place + 1) * height);
  const error = new Float32Array(height);
  for (let row = 0; row < height; row++) {
    const at = row * groups + group;
    const scale = result.scales[at]!;
    const zero = result.zeros[at]!;
    const code = codeOf(column[row]!, scale, zero, top);
    result.codes[row * width + order[place]!] = code;
    error[row] = (column[row]! - (code - zero) * scale) / pivot;
    errors[row * count + i] = error[row]!;
  }
  for (let next = place + 1; next < first + count; next++) {
    const share = factor[place * width + next]!;
    if (share === 0) continue;
    const target = values.subarray(next * height, (next + 1) * height);
    for (let row = 0; row < height; row++) target[row]! -= share * error[row]!;
  }
}

/** The weights column by column in the order of quantization: columns are what is changed. */
class Columns {
  readonly height: number;
  readonly width: number;
  /** [cols, rows] */
  readonly values: Float32Array;
  readonly #order: Int32Array;

  constructor(weights: Float32Array, rows: number, cols: number, order: Int32Array, gram: Float32Array) {
    this.height = rows;
    this.width = cols;
    this.values = new Float32Array(rows * cols);
    this.#order = order;
    for (const [place, col] of order.entries()) {
      if (gram[col * cols + col] === 0) continue; // an input that is always 0: its weights do nothing
      for (let row = 0; row < rows; row++) this.values[place * rows + row] = weights[row * cols + col]!;
    }
  }

  /** [rows, count] of the columns at `place …`. */
  rows(place: number, count: number): Float32Array {
    return this.#gather(Array.from({ length: count }, (_, i) => place + i));
  }

  /** [rows, count] of group `group` as the columns stand in the matrix. */
  neighbours(group: number, count: number): Float32Array {
    const placeOf = new Map([...this.#order].map((col, place) => [col, place]));
    return this.#gather(Array.from({ length: count }, (_, i) => placeOf.get(group * count + i)!));
  }

  /** Takes the errors of a block, [rows, count], from all columns behind it. */
  async spread(device: Device, errors: Float32Array, factor: Float64Array, first: number, count: number) {
    const { height, width, values } = this;
    const behind = first + count;
    if (behind === width) return;
    const step = Math.min(width - behind, 2048);
    const y = device.alloc('F32', [height, count], 'errors');
    device.write(y, bytesOf(errors));
    try {
      for (let from = behind; from < width; from += step) {
        const part = Math.min(step, width - from);
        const shares = new Float32Array(part * count);
        for (let c = 0; c < part; c++)
          for (let i = 0; i < count; i++) shares[c * count + i] = factor[(first + i) * width + from + c]!;
        const w = device.alloc('F32', [part, count], 'shares');
        const product = device.alloc('F32', [part, height], 'corrections');
        device.write(w, bytesOf(shares));
        device.run('matmul', [w, y], product, {});
        const corrections = floatsOf(await device.read(product));
        device.free(w);
        device.free(product);
        for (let i = 0; i < corrections.length; i++) values[from * height + i]! -= corrections[i]!;
      }
    } finally {
      device.free(y);
    }
  }

  #gather(places: readonly number[]): Float32Array {
    const { height, values } = this;
    const gathered = new Float32Array(height * places.length);
    for (const [i, place] of places.entries())
      for (let row = 0; row < height; row++) gathered[row * places.length + i] = values[place * height + row]!;
    return gathered;
  }
}

/** Scale and zero of one group in every row; `values` [rows, groupSize]. */
function setRanges(
  { scales, zeros }: Codes,
  group: number,
  groups: number,
  values: Float32Array,
  grid: Grid,
  tensor: string,
): void {
  const range: GroupRange = { scale: 0, zero: 0 };
  for (let row = 0; row < values.length / grid.groupSize; row++) {
    groupRange(values, row * grid.groupSize, grid.groupSize, grid, range, halfRounded);
    requireHalf(range.scale, tensor);
    scales[row * groups + group] = range.scale;
    zeros[row * groups + group] = range.zero;
  }
}

/** Column at each place. */
function columnOrder(gram: Float32Array, cols: number, actOrder: boolean): Int32Array {
  const order = Int32Array.from({ length: cols }, (_, col) => col);
  return actOrder ? order.sort((a, b) => gram[b * cols + b]! - gram[a * cols + a]! || a - b) : order;
}

function inverseGroups(order: Int32Array, groupSize: number): Int32Array {
  const groupOf = new Int32Array(order.length);
  for (const [place, col] of order.entries()) groupOf[col] = Math.floor(place / groupSize);
  return groupOf;
}

function factorOf(
  gram: Float32Array,
  tokens: number,
  order: Int32Array,
  { damp }: GptqOptions,
  tensor: string,
): Float64Array {
  const n = order.length;
  const hessian = new Float64Array(n * n);
  let trace = 0;
  for (let i = 0; i < n; i++) {
    const from = order[i]! * n;
    for (let j = 0; j < n; j++) hessian[i * n + j] = gram[from + order[j]!]! / tokens;
    if (hessian[i * n + i] === 0) hessian[i * n + i] = 1;
    trace += hessian[i * n + i]!;
  }
  for (let i = 0; i < n; i++) hessian[i * n + i]! += (damp * trace) / n;
  const factor = inverseFactor(hessian, n);
  if (factor) return factor;
  throw new QuernError('gptq-not-positive', 'The inputs of the layer depend on each other too closely.', {
    tensor,
    remedy: 'Raise --damp (0.05, 0.1), or calibrate on more text.',
  });
}
