// What a GPU can bind. A kernel sees an operand through bindings of a limited size; larger tensors lie in several buffers,
// cut between rows, and kernels work on them part by part (docs/decisions/webgpu.md). What must be in one buffer all the same
// is known from headers alone:
//   - a row of any tensor, and vectors and the block table as a whole;
//   - the slots of one token, where a token has a row for each expert that it uses.
import { dtypeByName, rowBytes } from '@quern/blocks';
import type { BatchLimits } from '../forward/batch-limits.ts';
import { bufferShapes, largestShape } from '../forward/buffers.ts';
import { partsOf } from '../forward/network.ts';
import { isMatrix } from '../forward/network-tensors.ts';
import { statesOf } from '../forward/state/held-states.ts';
import { allocatedState } from '../forward/state/state-shape.ts';
import { partsOfShare, type Share, type SharePart } from './shares.ts';

/** Says what of a share is above what a device binds at a time; undefined when nothing is. */
export function unbindable(share: Share, limits: BatchLimits, bindingBytes: number): string | undefined {
  for (const part of partsOfShare(share)) {
    const what = unbindablePart(part, limits, bindingBytes);
    if (what) return what;
  }
  return undefined;
}

function unbindablePart(share: SharePart, limits: BatchLimits, bindingBytes: number): string | undefined {
  for (const { tensor } of share.tensors) {
    const bytes = isMatrix(tensor) ? tensor.rowBytes : 4 * tensor.cols;
    if (bytes > bindingBytes) return `a row of ${tensor.name} has ${bytes} bytes`;
  }
  return unbindableState(share, limits, bindingBytes) ?? unbindableBuffer(share, limits, bindingBytes);
}

function unbindableState({ network, firstBlock, endBlock }: SharePart, limits: BatchLimits, bindingBytes: number) {
  for (const { room } of network.blocks.slice(firstBlock, endBlock).flatMap(partsOf))
    for (const state of Object.values(statesOf(room))) {
      const { dtype, shape } = allocatedState(state, limits);
      const bytes = rowBytes(
        dtypeByName(dtype),
        shape.slice(1).reduce((a, b) => a * b, 1),
      );
      if (bytes <= bindingBytes) continue;
      return state.kind === 'paged'
        ? `a token's keys or values have ${bytes} bytes`
        : `the state of a sequence has ${bytes} bytes`;
    }
  return undefined;
}

function unbindableBuffer(
  { network, ...part }: SharePart,
  limits: BatchLimits,
  bindingBytes: number,
): string | undefined {
  for (const buffer of bufferShapes(network, limits, part).values()) {
    const [rows, cols = 1] = largestShape(buffer, limits) as [number, number?];
    // A table of sequences is bound as a whole.
    if (buffer.per === 'sequence' && 4 * rows * cols > bindingBytes)
      return `the ${buffer.label} of ${rows} sequences has ${4 * rows * cols} bytes`;
    if (4 * cols > bindingBytes) return `a row of the buffer ${buffer.label} has ${4 * cols} bytes`;
    const cutEvery = Math.floor(bindingBytes / (4 * cols));
    if (rows > cutEvery && cutEvery % buffer.rows !== 0)
      return `the buffer ${buffer.label} of ${rows} rows has ${4 * rows * cols} bytes, and cannot be cut between tokens of ${buffer.rows} rows`;
  }
  return undefined;
}
