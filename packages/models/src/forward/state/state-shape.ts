// What a part keeps of a sequence, as data. Two kinds:
//   paged   a row for every position, in blocks that a sequence is given as it grows: keys and values; with a window, in a
//           ring of blocks that belongs to the sequence's slot, where that takes less memory (ring.ts)
//   slot    so many scalars for every sequence, whatever its length: recurrent and convolution states
// A slot starts at zero when position 0 of a sequence is computed.
import { dtypeByName, rowBytes } from '@quern/blocks';
import type { Device, Tensor } from '@quern/runtime';
import type { BatchLimits } from '../batch-limits.ts';
import { ringBlocks } from './ring.ts';

export interface PagedState {
  readonly kind: 'paged';
  /** Which of the two cache types it is stored as. */
  readonly holds: 'keys' | 'values';
  readonly heads: number;
  /** Scalars of a head. */
  readonly headWidth: number;
  /** Rows further back than this are never read. */
  readonly window?: number;
}

export interface SlotState {
  readonly kind: 'slot';
  /** Of one sequence. */
  readonly shape: readonly number[];
}

export type StateShape = PagedState | SlotState;

export interface StateTensor {
  readonly tensor: Tensor;
  readonly shape: StateShape;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** What is allocated: [cells, heads·headWidth] of a cache type, or [slots, …] F32. */
export function allocatedState(state: StateShape, limits: BatchLimits): { dtype: string; shape: readonly number[] } {
  if (state.kind === 'slot') return { dtype: 'F32', shape: [limits.slots, ...state.shape] };
  const { blockTokens, cacheTypes } = limits;
  const ring = ringBlocks(state.window, limits);
  const blocks = ring === undefined ? limits.blocks : limits.slots * ring;
  return {
    dtype: state.holds === 'keys' ? cacheTypes.k : cacheTypes.v,
    shape: [blocks * blockTokens, state.heads * state.headWidth],
  };
}

export function stateBytes(state: StateShape, limits: BatchLimits): number {
  const { dtype, shape } = allocatedState(state, limits);
  const cols = shape.at(-1)!;
  return (sizeOf(shape) / cols) * rowBytes(dtypeByName(dtype), cols);
}

export function allocateState(
  alloc: Device['alloc'],
  shape: StateShape,
  limits: BatchLimits,
  label: string,
): StateTensor {
  const { dtype, shape: sizes } = allocatedState(shape, limits);
  return { tensor: alloc(dtype, sizes, label), shape };
}

/** Whether it lies in slots, not in the blocks that sequences are given. */
export const isInSlots = (state: StateShape, limits: BatchLimits): boolean =>
  state.kind === 'slot' || ringBlocks(state.window, limits) !== undefined;
