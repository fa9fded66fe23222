// What each device of a placement computes and holds. A plan counts the bytes of these shares, loading fills them: one
// description, so that the two cannot disagree.
import type { BatchLimits } from '../forward/batch-limits.ts';
import { bufferBytes, bufferShapes } from '../forward/buffers.ts';
import { type Network, partsOf } from '../forward/network.ts';
import { isMatrix, type WantedTensor } from '../forward/network-tensors.ts';
import { roomOf } from '../forward/rooms.ts';
import { heldStateBytes } from '../forward/state/held-states.ts';
import { cutByRows } from './cut-rows.ts';
import type { DevicePlacement } from './placement.ts';

export interface Share {
  /** Number of the device. */
  readonly device: number;
  /** Of the part of the network that this device computes. */
  readonly network: Network;
  readonly firstBlock: number;
  readonly endBlock: number;
  readonly embedding: boolean;
  readonly output: boolean;
  readonly tensors: readonly WantedTensor[];
}

/** What `planPlacement` and `loadModel` know of the model. */
export interface PlannedModel {
  readonly network: Network;
  readonly tensors: readonly WantedTensor[];
  readonly limits: BatchLimits;
  readonly file: string;
}

export type ShareBytes = Pick<DevicePlacement, 'weightBytes' | 'kvBytes' | 'activationBytes'>;

export function bytesOfShare(share: Share, limits: BatchLimits): ShareBytes {
  const { network, tensors } = share;
  return {
    weightBytes: tensors.reduce((sum, { tensor }) => sum + weightBytes(tensor), 0),
    kvBytes: heldStateBytes(network, limits, share),
    activationBytes: bufferBytes(bufferShapes(network, limits, share), limits),
  };
}

/** Vectors become F32. */
const weightBytes = (tensor: WantedTensor['tensor']): number =>
  isMatrix(tensor) ? tensor.rows * tensor.rowBytes : 4 * tensor.cols;

/** Layers `first` … `end - 1` on a device; the output is layer `blocks.length`. */
export function shareOfLayers(
  { network, tensors }: Pick<PlannedModel, 'network' | 'tensors'>,
  device: number,
  first: number,
  end: number,
): Share {
  const blockCount = network.blocks.length;
  const [firstBlock, endBlock] = [Math.min(first, blockCount), Math.min(end, blockCount)];
  const [embedding, output] = [first === 0 && end > 0, end > blockCount];
  return {
    device,
    network,
    firstBlock,
    endBlock,
    embedding,
    output,
    tensors: tensors.filter(({ of }) => {
      if (of === 'embedding') return embedding || (output && network.output.tied);
      if (of === 'inputs') return embedding;
      if (of === 'output') return output;
      return of !== 'host' && of >= firstBlock && of < endBlock;
    }),
  };
}

/** A block of `firstBlock` … `endBlock - 1` that uses the state of a block before them, if there is one. */
export function sharedAcross(
  { blocks }: Network,
  firstBlock: number,
  endBlock: number,
): { block: number; of: number } | undefined {
  for (const [i, block] of blocks.slice(firstBlock, endBlock).entries())
    for (const { room } of partsOf(block)) {
      const of = roomOf(room).stateOf?.(room);
      if (of !== undefined && of < firstBlock) return { block: firstBlock + i, of };
    }
  return undefined;
}

/** Every device with a part of all blocks. @throws QuernError `placement-not-divisible` */
export function sharesByRows({ network, tensors }: PlannedModel, ranks: number): Share[] {
  return cutByRows(network, tensors, ranks).map((cut, rank) => ({
    ...shareOfLayers(cut, rank, 0, network.blocks.length + 1),
    embedding: rank === 0,
    output: rank === 0,
  }));
}
