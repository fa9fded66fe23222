// What every packer proves before it writes.
import { QuernError } from '@quern/errors';
import type { GroupedRows } from './packed-weight.ts';
import type { PackerLimits, PackOptions } from './packer.ts';

/** @throws QuernError `pack-unsupported` always */
function unsupported(format: string, message: string, remedy: string, tensor?: string): never {
  throw new QuernError('pack-unsupported', `${format} ${message}`, { tensor, remedy });
}

/** Columns per scale. */
export const columnsPerScale = (options: PackOptions, cols: number): number =>
  options.groupSize === -1 ? cols : options.groupSize;

/** @throws QuernError `pack-unsupported` */
export function checkOptions(format: string, limits: PackerLimits, options: PackOptions): void {
  const { bits, groupSize, symmetric, actOrder = false, scaleDType } = options;
  const known = (what: string, values: readonly unknown[]) => `Choose ${what} ${values.join(', ')}.`;
  if (!limits.bits.includes(bits))
    unsupported(format, `has no codes of ${bits} bits.`, known('bits (--bits):', limits.bits));
  if (!limits.groupSizes.includes(groupSize)) {
    unsupported(format, `has no groups of ${groupSize}.`, known('a group size (--group-size):', limits.groupSizes));
  }
  if (!limits.symmetric.includes(symmetric)) {
    if (symmetric) unsupported(format, 'always has zeros.', 'Choose codes with zeros (--no-sym).');
    unsupported(format, 'has no zeros.', 'Choose symmetric codes (without --no-sym).');
  }
  if (actOrder && !limits.actOrder) unsupported(format, 'has no act-order.', 'Choose actOrder false.');
  if (scaleDType !== undefined && !limits.scaleDTypes.includes(scaleDType)) {
    unsupported(format, `has no scales of ${scaleDType}.`, known('one of', limits.scaleDTypes));
  }
}

/** @throws QuernError `pack-unsupported` */
export function checkShape(
  format: string,
  limits: PackerLimits,
  name: string,
  shape: readonly number[],
  options: PackOptions,
): void {
  checkOptions(format, limits, options);
  const plain = 'Leave this tensor unquantized.';
  if (!name.endsWith('.weight')) unsupported(format, `packs weights, and ${name} is none by its name.`, plain, name);
  if (shape.length !== 2 || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    unsupported(format, `packs matrices, and ${name} has the shape [${shape.join(', ')}].`, plain, name);
  }
  const [rows, cols] = shape;
  const { rowsMultipleOf, colsMultipleOf } = limits;
  if (rows % rowsMultipleOf)
    unsupported(format, `needs rows in multiples of ${rowsMultipleOf}, not ${rows}.`, plain, name);
  if (cols % colsMultipleOf)
    unsupported(format, `needs columns in multiples of ${colsMultipleOf}, not ${cols}.`, plain, name);
  if (cols % columnsPerScale(options, cols)) {
    unsupported(format, `cannot divide ${cols} columns into groups of ${options.groupSize}.`, plain, name);
  }
}

/**
 * @throws QuernError `pack-misshapen` when lengths, codes or zeros do not fit, `pack-unsupported` when the format
 *   cannot say what the weight says
 */
export function checkWeight(format: string, limits: PackerLimits, weight: GroupedRows, options: PackOptions): void {
  const { rows, cols, bits, codes, scales, zeros, offsets, groupOf } = weight;
  checkShape(format, limits, '.weight', [rows, cols], options);
  const size = columnsPerScale(options, cols);
  const scaleCount = rows * (cols / size);
  const misshapen = (message: string): never => {
    throw new QuernError('pack-misshapen', `${format} was given a weight of [${rows}, ${cols}] with ${message}.`);
  };
  if (bits !== options.bits) misshapen(`${bits} bits instead of ${options.bits}`);
  if (weight.groupSize !== size) misshapen(`groups of ${weight.groupSize} instead of ${size}`);
  if (codes.length !== rows * cols) misshapen(`${codes.length} codes`);
  if (scales.length !== scaleCount) misshapen(`${scales.length} scales instead of ${scaleCount}`);
  if ((zeros ?? offsets ?? scales).length !== scaleCount) misshapen(`other than ${scaleCount} zeros`);
  if (groupOf && (groupOf.length !== cols || !options.actOrder)) misshapen('an order of groups that was not asked for');
  if (largest(codes) >= 2 ** bits) misshapen(`a code of ${largest(codes)}`);
  if (zeros && largest(zeros) >= 2 ** bits) misshapen(`a zero of ${largest(zeros)}`);
  if (options.symmetric && zeros?.some((zero) => zero !== 2 ** (bits - 1))) misshapen('zeros, and symmetric asked for');
  if (offsets && format !== 'mlx') unsupported(format, 'has no offsets in floating point.', 'Quantize again.');
  if (zeros?.some((zero) => zero < limits.minZero)) {
    unsupported(format, `cannot store a zero of 0: programs disagree about it.`, 'Use gptq_v2, or zeros from 1 on.');
  }
}

function largest(values: Uint8Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > most) most = values[i];
  return most;
}

/** Zeros of every group, the constant one written out. */
export const zerosOf = ({ zeros, scales, bits }: GroupedRows): Uint8Array =>
  zeros ?? new Uint8Array(scales.length).fill(2 ** (bits - 1));

/** A matrix [rows, cols] turned to [cols, rows]. */
export function turned(values: Float32Array, rows: number, cols: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) result[c * rows + r] = values[r * cols + c];
  return result;
}

/** The bytes of words, little-endian. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
