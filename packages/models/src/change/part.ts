// A tensor of GGUF that is one of several parts of a tensor of the checkpoint: q of a fused qkv, gate of gate_up, v of kv_b.
// The parts follow one another, or take turns row by row; with groups (heads, experts) they do so in every group.
import { gatheredRows, type TensorView } from '@quern/checkpoint';
import type { Dimension, Dimensions } from '../arch/dimensions.ts';
import { gatheredColumns } from './gathered-columns.ts';

export interface Part {
  /** Which of the parts it is. */
  readonly index: number;
  /** Rows of each part, within a group where there are groups. */
  readonly of: readonly Dimension[];
  /** The groups are a dimension in GGUF, and rows one after another in the checkpoint: [heads · rows, cols]. */
  readonly flat?: true;
  /** Row 0 of every part, then row 1 of every part, … Parts are of one size. */
  readonly alternating?: true;
  /** Columns instead of rows (biases of stacked experts). Vectors are always cut by elements. */
  readonly columns?: true;
}

interface Cut {
  own: number;
  before: number;
  total: number;
}

const cutOf = ({ index, of }: Part, sizes: Dimensions): Cut => {
  const each = of.map((dimension) => sizes[dimension]!);
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  return { own: each[index]!, before: sum(each.slice(0, index)), total: sum(each) };
};

/** Axis of a shape that is cut. */
const axisOf = (part: Part, shape: readonly number[]): number =>
  part.columns || shape.length === 1 ? shape.length - 1 : shape.length - 2;

/** The checkpoint's shape of the whole. */
export function wholeShape(part: Part, shape: readonly number[], sizes: Dimensions): number[] {
  const { own, total } = cutOf(part, sizes);
  if (part.flat) return [(shape.slice(0, -1).reduce((a, b) => a * b, 1) / own) * total, shape.at(-1)!];
  const axis = axisOf(part, shape);
  return shape.map((size, i) => (i === axis ? (size / own) * total : size));
}

/** Index in the whole of the part's `index`. */
function inWhole(part: Part, { own, before, total }: Cut, index: number): number {
  const [group, within] = [Math.floor(index / own), index % own];
  return group * total + (part.alternating ? within * part.of.length + part.index : before + within);
}

/** @param shape of the part in GGUF */
export function partOf(whole: TensorView, part: Part, shape: readonly number[], sizes: Dimensions): TensorView {
  const cut = cutOf(part, sizes);
  const locate = (index: number) => inWhole(part, cut, index);
  if (axisOf(part, shape) === shape.length - 1)
    return gatheredColumns(whole.name, shape, [whole], (col) => ({ tensor: 0, col: locate(col) }));
  return gatheredRows(whole.name, shape, [whole], (row) => ({ tensor: 0, row: locate(row) }));
}

/**
 * The whole again.
 * @param part of any of them
 * @param parts all of them, in order
 * @param shape of the whole in the checkpoint
 */
export function joinedParts(
  parts: readonly TensorView[],
  part: Part,
  shape: readonly number[],
  sizes: Dimensions,
  name: string,
): TensorView {
  const cuts = part.of.map((_, index) => cutOf({ ...part, index }, sizes));
  const { total } = cuts[0]!;
  const locate = (index: number): { tensor: number; at: number } => {
    const [group, within] = [Math.floor(index / total), index % total];
    const tensor = part.alternating
      ? within % part.of.length
      : cuts.findIndex(({ before, own }) => within < before + own);
    const { own, before } = cuts[tensor]!;
    return { tensor, at: group * own + (part.alternating ? Math.floor(within / part.of.length) : within - before) };
  };
  if (axisOf(part, parts[0]!.shape) === parts[0]!.shape.length - 1) {
    return gatheredColumns(name, shape, parts, (col) => {
      const { tensor, at } = locate(col);
      return { tensor, col: at };
    });
  }
  return gatheredRows(name, shape, parts, (row) => {
    const { tensor, at } = locate(row);
    return { tensor, row: at };
  });
}
