// Value heads of a gated delta net. The checkpoint groups them by the key head they belong to, G0v0 G0v1 … G1v0 …; ggml
// repeats key heads over value heads in turn, so GGUF has G0v0 G1v0 … G0v1 G1v1 … (llama.cpp's conversion/qwen.py
// `_reorder_v_heads`). With as many value heads as key heads nothing moves.
import type { Dimension } from '../arch/dimensions.ts';
import type { Change, Place } from './change.ts';
import { type Order, orderedColumns, orderedRows } from './ordered.ts';

export interface TiledHeads {
  /** Rows or columns before the value heads, which stay. */
  before?: Dimension;
  /** Rows or columns of one value head; 1 when not given. */
  headSize?: Dimension;
}

/** `count` things, of which those from `first` on are `groups × perGroup` heads of `size`. */
const tiled = (first: number, groups: number, perGroup: number, size: number): Order => {
  const swapped = (outer: number, inner: number) => (index: number) => {
    if (index < first) return index;
    const at = index - first;
    const head = Math.floor(at / size);
    return first + ((head % inner) * outer + Math.floor(head / inner)) * size + (at % size);
  };
  // Head k of GGUF is value k / groups of group k mod groups.
  return { stored: swapped(perGroup, groups), gguf: swapped(groups, perGroup) };
};

const orderOf =
  ({ before, headSize }: TiledHeads) =>
  (_count: number, { sizes }: Place): Order => {
    const [groups, heads] = [sizes.ssmGroups!, sizes.ssmHeads!];
    return tiled(before ? sizes[before]! : 0, groups, heads / groups, headSize ? sizes[headSize]! : 1);
  };

export const tiledRows = (heads: TiledHeads): Change => orderedRows('value heads from groups to turns', orderOf(heads));
export const tiledColumns = (heads: TiledHeads): Change =>
  orderedColumns('value heads from groups to turns', orderOf(heads));
