// A matrix in codes, as packers take it, and the plain way to make one: round to nearest. AutoAWQ turns the weights to
// F16 first and computes range, scale, zero and quotient in F16; so do we, for the same codes. (Where codes have more
// than 4 bits an F16 quotient is too coarse, and the quotient is taken in F32.)
import { QuernError } from '@quern/errors';
import type { GroupedRows } from '@quern/packed';
import { codeOf, type Grid, type GroupRange, groupRange, offsetRange, roundHalfEven } from './grid.ts';
import { halfRounded } from './half.ts';

export interface MatrixShape {
  /** GGUF name; of an expert the name of its stack. */
  readonly tensor: string;
  readonly rows: number;
  readonly cols: number;
}

/** @throws QuernError `quantize-scale-overflow` */
export function quantizeMatrix(weights: Float32Array, shape: MatrixShape, grid: Grid): GroupedRows {
  if (grid.offsets) return withOffsets(weights, shape, grid);
  const { tensor, rows, cols } = shape;
  const { groupSize, bits, symmetric } = grid;
  const groups = (rows * cols) / groupSize;
  const top = 2 ** bits - 1;
  const quotient = bits > 4 ? Math.fround : halfRounded;
  const codes = new Uint8Array(rows * cols);
  const scales = new Float32Array(groups);
  const zeros = new Uint8Array(groups);
  const range: GroupRange = { scale: 0, zero: 0 };
  const own = new Float32Array(groupSize);
  for (let group = 0; group < groups; group++) {
    const from = group * groupSize;
    for (let i = 0; i < groupSize; i++) own[i] = halfRounded(weights[from + i]!);
    groupRange(own, 0, groupSize, grid, range, halfRounded);
    requireHalf(range.scale, tensor);
    const { scale, zero } = range;
    scales[group] = scale;
    zeros[group] = zero;
    for (let i = 0; i < groupSize; i++) codes[from + i] = codeOf(quotient(own[i]! / scale), zero, top);
  }
  return { rows, cols, groupSize, bits, codes, scales, ...(symmetric ? {} : { zeros }) };
}

/** mlx's codes are those of the scale before it is rounded, and of the offset that is an end of the range. */
function withOffsets(
  weights: Float32Array,
  { tensor, rows, cols }: MatrixShape,
  { groupSize, bits }: Grid,
): GroupedRows {
  const groups = (rows * cols) / groupSize;
  const top = 2 ** bits - 1;
  const codes = new Uint8Array(rows * cols);
  const scales = new Float32Array(groups);
  const offsets = new Float32Array(groups);
  const range: GroupRange = { scale: 0, zero: 0 };
  const own = new Float32Array(groupSize);
  for (let group = 0; group < groups; group++) {
    const from = group * groupSize;
    for (let i = 0; i < groupSize; i++) own[i] = halfRounded(weights[from + i]!);
    offsetRange(own, 0, groupSize, bits, range);
    const { scale } = range;
    const offset = offsetOf(range);
    requireHalf(Math.abs(scale), tensor);
    scales[group] = halfRounded(scale);
    offsets[group] = offset;
    for (let i = 0; i < groupSize; i++) {
      const code = roundHalfEven(Math.fround(Math.fround(own[i]! - offset) / scale));
      codes[from + i] = code < 0 ? 0 : code > top ? top : code;
    }
  }
  return { rows, cols, groupSize, bits, codes, scales, offsets };
}

/** What code 0 stands for, as it is stored. */
export const offsetOf = ({ scale, zero }: GroupRange): number => halfRounded(-zero * scale);

/** @throws QuernError `quantize-scale-overflow` */
export function requireHalf(scale: number, tensor: string): void {
  if (scale <= 65504) return;
  throw new QuernError('quantize-scale-overflow', `A group of weights is too large for a scale in F16.`, {
    tensor,
    remedy: 'Weights this large are no weights of a working model: check the checkpoint.',
  });
}
