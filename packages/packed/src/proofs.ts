// What is proved about the tensors of a packed weight before one of them is read.
import { QuernError } from '@quern/errors';
import type { StoredTensor } from './stored-tensor.ts';

type Tensors = ReadonlyMap<string, StoredTensor>;

/** A weight may have at most so many columns: a row of it is held in memory. */
const MAX_COLS = 2 ** 24;

/** The place to blame. */
export const placeOf = ({ file, name, offset }: StoredTensor) => ({ file, tensor: name, offset });

/** @throws QuernError `packed-part-missing` */
export function partOf(tensors: Tensors, name: string, whole: StoredTensor): StoredTensor {
  const part = tensors.get(name);
  if (part) return part;
  throw new QuernError(
    'packed-part-missing',
    `${whole.name} is of no use without ${name}, which the checkpoint lacks.`,
    {
      ...placeOf(whole),
      remedy: 'Download the checkpoint again; all of its shards are needed.',
    },
  );
}

/** What the headers cannot tell apart: a configuration of other weights, and weights that are damaged. */
const contradicted =
  'Check that quantization_config in config.json belongs to these weights; if it does, get the checkpoint again.';

/** @throws QuernError `packed-part-dtype` unless the tensor is stored as one of `names` */
export function proveDType(tensor: StoredTensor, ...names: readonly string[]): void {
  if (names.includes(tensor.dtype.name)) return;
  throw new QuernError(
    'packed-part-dtype',
    `${tensor.name} is stored as ${tensor.dtype.name}, and must be ${names.join(' or ')}.`,
    { ...placeOf(tensor), remedy: contradicted },
  );
}

/** @throws QuernError `packed-part-shape` unless the shape is `expected`; `why` says where that comes from */
export function proveShape(tensor: StoredTensor, expected: readonly number[], why: string): void {
  if (tensor.shape.length === expected.length && expected.every((size, axis) => size === tensor.shape[axis])) return;
  throw new QuernError(
    'packed-part-shape',
    `${tensor.name} has the shape [${tensor.shape.join(', ')}], and ${why} asks for [${expected.join(', ')}].`,
    { ...placeOf(tensor), remedy: contradicted },
  );
}

/**
 * A matrix (or a stack of them when `ranks` says so) without empty dimensions.
 * @throws QuernError `packed-part-shape`
 */
export function proveRank(tensor: StoredTensor, ...ranks: readonly number[]): void {
  if (ranks.includes(tensor.shape.length) && tensor.shape.every((size) => Number.isSafeInteger(size) && size > 0))
    return;
  throw new QuernError(
    'packed-part-shape',
    `${tensor.name} has the shape [${tensor.shape.join(', ')}], and must have ${ranks.join(' or ')} dimensions, none of them 0.`,
    { ...placeOf(tensor), remedy: contradicted },
  );
}

/** @throws QuernError `packed-too-large` when a row of the unpacked weight could not be held */
export function proveCols(tensor: StoredTensor, cols: number): void {
  if (cols <= MAX_COLS) return;
  throw new QuernError(
    'packed-too-large',
    `${tensor.name} would unpack to rows of ${cols} weights; more than ${MAX_COLS} are not read.`,
    placeOf(tensor),
  );
}

export interface Grouping {
  readonly groups: number;
  /** Columns of a group; the last of a row may have fewer. */
  readonly groupSize: number;
}

/** @param groupSize as the configuration says; −1 for one group per row */
export function groupsOf(cols: number, groupSize: number): Grouping {
  if (groupSize === -1 || groupSize >= cols) return { groups: 1, groupSize: cols };
  return { groups: Math.ceil(cols / groupSize), groupSize };
}

/**
 * Whole blocks per row, of formats that have no shorter ones.
 * @throws QuernError `packed-group-does-not-divide`
 */
export function blocksOf(tensor: StoredTensor, cols: number, blockSize: number): number {
  if (cols % blockSize === 0) return cols / blockSize;
  throw new QuernError(
    'packed-group-does-not-divide',
    `${tensor.name} has ${cols} input columns, which blocks of ${blockSize} do not divide.`,
    { ...placeOf(tensor), remedy: contradicted },
  );
}

/** @throws QuernError `packed-config-contradicts` */
export function contradicts(tensor: StoredTensor, message: string): never {
  throw new QuernError('packed-config-contradicts', message, {
    ...placeOf(tensor),
    remedy: 'config.json belongs to another checkpoint, or was edited.',
  });
}

/**
 * @throws QuernError `packed-rows-out-of-range` when the rows do not exist or `into` has another length than they need
 */
export function proveRange(
  weight: { readonly name: string; readonly rows: number },
  firstRow: number,
  count: number,
  length: number,
  perRow: number,
): void {
  const whole = Number.isInteger(firstRow) && Number.isInteger(count) && firstRow >= 0 && count >= 0;
  if (whole && firstRow + count <= weight.rows && length === count * perRow) return;
  throw new QuernError(
    'packed-rows-out-of-range',
    `Rows ${firstRow}…${firstRow + count} of ${weight.rows} (${perRow} each) into ${length}.`,
    { tensor: weight.name },
  );
}
