// What a GPU can bind. A kernel sees an operand through bindings of a limited size; larger tensors lie in several buffers,
// cut between rows, and kernels work on them part by part (docs/decisions/webgpu.md). What must be in one buffer all the same
// is known from headers alone:
//   - a row of any tensor, and vectors and the block table as a whole;
//   - the slots of one token, where a token has a row for each expert that it uses.
import { dtypeByName, rowBytes } from '@quern/blocks';
import { type BatchLimits, bufferShapes, cacheShape } from '../forward/buffers.ts';
import { isMatrix } from '../forward/weights.ts';
import type { Share } from './shares.ts';

/** Says what of a share is above what a device binds at a time; undefined when nothing is. */
export function unbindable(share: Share, limits: BatchLimits, bindingBytes: number): string | undefined {
  for (const { tensor } of share.tensors) {
    const bytes = isMatrix(tensor) ? tensor.rowBytes : 4 * tensor.cols;
    if (bytes > bindingBytes) return `a row of ${tensor.name} has ${bytes} bytes`;
  }
  return unbindableCache(share, limits, bindingBytes) ?? unbindableBuffer(share, limits, bindingBytes);
}

function unbindableCache({ hyperparameters, firstBlock, endBlock }: Share, limits: BatchLimits, bindingBytes: number) {
  if (endBlock === firstBlock) return undefined;
  const kvDim = cacheShape(hyperparameters, limits)[1]!;
  for (const type of Object.values(limits.cacheTypes)) {
    const bytes = rowBytes(dtypeByName(type), kvDim);
    if (bytes > bindingBytes) return `a token's keys or values have ${bytes} bytes`;
  }
  return undefined;
}

function unbindableBuffer(share: Share, limits: BatchLimits, bindingBytes: number): string | undefined {
  const { experts, ...shapes } = bufferShapes(share.hyperparameters, limits, share);
  const [sequences, width] = shapes.blockTable.shape as [number, number];
  if (4 * sequences * width > bindingBytes)
    return `the block table of ${sequences} sequences has ${4 * sequences * width} bytes`;
  for (const [name, { shape }] of [...leaves(shapes), ...leaves(experts ?? {})]) {
    const [rows, cols] = [shape[0]!, shape.length > 1 ? shape.at(-1)! : 1];
    if (4 * cols > bindingBytes) return `a row of the buffer ${name} has ${4 * cols} bytes`;
    const slots = rows / limits.batchTokens; // of a token
    const cutEvery = Math.floor(bindingBytes / (4 * cols));
    if (experts && name in experts && rows > cutEvery && cutEvery % slots !== 0)
      return `the buffer ${name} of ${rows} rows has ${4 * rows * cols} bytes, and cannot be cut between tokens of ${slots} rows`;
  }
  return undefined;
}

interface Leaf {
  readonly shape: readonly number[];
}

const leaves = (group: object): [name: string, leaf: Leaf][] =>
  Object.entries(group).flatMap(([name, value]: [string, object]) =>
    'shape' in value ? [[name, value as Leaf] as [string, Leaf]] : leaves(value),
  );
