// GPTQ (Frantar et al., arXiv 2210.17323): columns are rounded one after the other, and what rounding one does to the
// layer's output is made up for by the columns that are still to come.
//   e = (w_j − q_j) / U_jj,   w_k −= e · U_jk for k > j          U: hessian.ts
// Within a block of 128 columns this is done at once; the columns behind the block get the sum, as one matrix product.
// Rows do not see each other: they are taken in strips, so that what lies on the device is small.
// With act-order the columns with the largest inputs come first. Their groups then are either the runs of that order
// (`groupOf` says which), or, where the format knows only runs of neighbours, fixed beforehand.
import type { GroupedRows } from '@quern/packed';
import type { Device } from '@quern/runtime';
import { type Grid, type GroupRange, groupRange } from '../grid/grid.ts';
import { halfRounded } from '../grid/half.ts';
import { type MatrixShape, offsetOf, requireHalf } from '../grid/quantized-matrix.ts';
import type { FactoredInputs } from './hessian.ts';
import { LaterColumns } from './later-columns.ts';
import { BlockRounder, stripRows } from './round-block.ts';
import { edge, type TriangleTiles } from './triangle-tiles.ts';

export interface GptqOptions {
  readonly grid: Grid;
  /** The columns are in the order of their inputs' energy. */
  readonly actOrder: boolean;
  /** The format can say which group a column belongs to. */
  readonly freeGroups: boolean;
}

/**
 * @param weights [rows, cols]; the group size divides 128
 * @throws QuernError `quantize-scale-overflow`
 */
export async function quantizeGptq(
  device: Device,
  weights: Float32Array,
  shape: MatrixShape,
  { order, factor, isUsed }: FactoredInputs,
  { grid, actOrder, freeGroups }: GptqOptions,
): Promise<GroupedRows> {
  const { rows, cols, tensor } = shape;
  const { bits, groupSize } = grid;
  const groups = cols / groupSize;
  const codes = new Uint8Array(rows * cols);
  const scales = new Float32Array(rows * groups);
  // With offsets a zero may be any whole number.
  const zeros = new Float32Array(rows * groups);
  const rounder = await BlockRounder.create();
  for (let row = 0; row < rows; row += stripRows) {
    const count = Math.min(stripRows, rows - row);
    const strip = new Strip(
      {
        rows: count,
        cols,
        grid,
        tensor,
        order,
        factor,
        hasFixedGroups: actOrder && !freeGroups,
        codes: codes.subarray(row * cols, (row + count) * cols),
        scales: scales.subarray(row * groups, (row + count) * groups),
        zeros: zeros.subarray(row * groups, (row + count) * groups),
      },
      rounder,
    );
    await strip.quantize(device, weights.subarray(row * cols, (row + count) * cols), isUsed);
  }
  return {
    rows,
    cols,
    groupSize,
    bits,
    codes,
    scales,
    ...zerosOf(grid, scales, zeros),
    ...(actOrder && freeGroups ? { groupOf: inverseGroups(order, groupSize) } : {}),
  };
}

interface StripTask {
  readonly rows: number;
  readonly cols: number;
  readonly grid: Grid;
  readonly tensor: string;
  /** Column at each place. */
  readonly order: Int32Array;
  readonly factor: TriangleTiles;
  /** Groups are neighbours though the order is another. */
  readonly hasFixedGroups: boolean;
  /** [rows, cols], to be filled. */
  readonly codes: Uint8Array;
  /** [rows, groups], to be filled. */
  readonly scales: Float32Array;
  readonly zeros: Float32Array;
}

class Strip {
  readonly #task: StripTask;
  readonly #rounder: BlockRounder;
  readonly #groups: number;
  /** Rows with those that make their number a multiple of 4. */
  readonly #height: number;

  constructor(task: StripTask, rounder: BlockRounder) {
    this.#task = task;
    this.#rounder = rounder;
    this.#groups = task.cols / task.grid.groupSize;
    this.#height = Math.ceil(task.rows / 4) * 4;
  }

  /** @param isUsed by place: 0 where an input is always 0, so that its weights do nothing */
  async quantize(device: Device, weights: Float32Array, isUsed: Uint8Array): Promise<void> {
    const { rows, cols, order, factor, hasFixedGroups, grid } = this.#task;
    const values = new Float32Array(cols * this.#height);
    const used = hasFixedGroups ? new Float32Array(rows * cols) : undefined;
    for (const [place, col] of order.entries()) {
      if (!isUsed[place]) continue;
      for (let row = 0; row < rows; row++) values[place * this.#height + row] = weights[row * cols + col]!;
      if (used) for (let row = 0; row < rows; row++) used[row * cols + col] = weights[row * cols + col]!;
    }
    if (used)
      for (let group = 0; group < this.#groups; group++) this.#setRanges(group, used, cols, group * grid.groupSize);
    const columns = new LaterColumns(device, values, cols, this.#height);
    try {
      for (let block = 0; block < factor.count; block++) {
        const count = Math.min(edge, cols - block * edge);
        this.#rounder.values.set(await columns.read(block * edge, count));
        this.#rounder.setFactor(factor.tile(block, block));
        this.#roundBlock(block * edge, count);
        columns.spread(this.#errors(count), factor, block);
      }
    } finally {
      columns.dispose();
    }
  }

  #roundBlock(first: number, count: number): void {
    const { grid, order, hasFixedGroups } = this.#task;
    const { bits, groupSize } = grid;
    const block = { height: this.#height, count };
    const step = hasFixedGroups ? 1 : groupSize;
    for (let i = 0; i < count; i += step) {
      const group = Math.floor((hasFixedGroups ? order[first + i]! : first + i) / groupSize);
      if (!hasFixedGroups) this.#setRanges(group, this.#gather(i, groupSize), groupSize, 0);
      this.#useRanges(group);
      this.#rounder.round(block, i, i + step, bits);
    }
    this.#takeCodes(first, count);
  }

  /** Scale and zero of one group in every row: of `values` [rows, stride] from column `from` on. */
  #setRanges(group: number, values: Float32Array, stride: number, from: number): void {
    const { rows, grid, tensor, scales, zeros } = this.#task;
    const range: GroupRange = { scale: 0, zero: 0 };
    for (let row = 0; row < rows; row++) {
      groupRange(values, row * stride + from, grid.groupSize, grid, range, halfRounded);
      requireHalf(Math.abs(range.scale), tensor);
      scales[row * this.#groups + group] = range.scale;
      zeros[row * this.#groups + group] = range.zero;
    }
  }

  #useRanges(group: number): void {
    const { rows, scales, zeros } = this.#task;
    const { scales: useScales, zeros: useZeros } = this.#rounder;
    useScales.fill(1, rows, this.#height);
    for (let row = 0; row < rows; row++) {
      useScales[row] = scales[row * this.#groups + group]!;
      useZeros[row] = zeros[row * this.#groups + group]!;
    }
  }

  /** [rows, count] of the block's columns from `i` on, as they are now. */
  #gather(i: number, count: number): Float32Array {
    const { values } = this.#rounder;
    const { rows } = this.#task;
    const gathered = new Float32Array(rows * count);
    for (let c = 0; c < count; c++)
      for (let row = 0; row < rows; row++) gathered[row * count + c] = values[(i + c) * this.#height + row]!;
    return gathered;
  }

  #takeCodes(first: number, count: number): void {
    const { rows, cols, order, codes } = this.#task;
    const { codes: rounded } = this.#rounder;
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < count; i++) codes[row * cols + order[first + i]!] = rounded[i * this.#height + row]!;
  }

  /** [height, 128]; columns that a last block lacks are 0. */
  #errors(count: number): Float32Array {
    const { values } = this.#rounder;
    const errors = new Float32Array(this.#height * edge);
    for (let i = 0; i < count; i++)
      for (let row = 0; row < this.#height; row++) errors[row * edge + i] = values[i * this.#height + row]!;
    return errors;
  }
}

function zerosOf({ symmetric, offsets }: Grid, scales: Float32Array, zeros: Float32Array): Partial<GroupedRows> {
  if (offsets) return { offsets: scales.map((scale, group) => offsetOf({ scale, zero: zeros[group]! })) };
  return symmetric ? {} : { zeros: Uint8Array.from(zeros) };
}

function inverseGroups(order: Int32Array, groupSize: number): Int32Array {
  const groupOf = new Int32Array(order.length);
  for (const [place, col] of order.entries()) groupOf[col] = Math.floor(place / groupSize);
  return groupOf;
}
