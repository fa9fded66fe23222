// What each device of a placement computes and holds. A plan counts the bytes of these shares, loading fills them: one
// description, so that the two cannot disagree.
import { type BatchLimits, bufferBytes, bufferShapes, cacheBytes } from '../forward/buffers.ts';
import { isMatrix, type WantedTensor } from '../forward/weights.ts';
import type { Hyperparameters } from '../hyperparameters.ts';
import { cutByRows } from './cut-rows.ts';
import type { DevicePlacement } from './placement.ts';

export interface Share {
  /** Number of the device. */
  readonly device: number;
  /** Of the part of the network that this device computes. */
  readonly hyperparameters: Hyperparameters;
  readonly firstBlock: number;
  readonly endBlock: number;
  readonly embedding: boolean;
  readonly output: boolean;
  readonly tensors: readonly WantedTensor[];
}

/** What `planPlacement` and `loadModel` know of the model. */
export interface Network {
  readonly hyperparameters: Hyperparameters;
  readonly tensors: readonly WantedTensor[];
  readonly limits: BatchLimits;
  readonly file: string;
}

export type ShareBytes = Pick<DevicePlacement, 'weightBytes' | 'kvBytes' | 'activationBytes'>;

export function bytesOfShare(share: Share, limits: BatchLimits): ShareBytes {
  const blocks = share.endBlock - share.firstBlock;
  return {
    weightBytes: share.tensors.reduce((sum, { tensor }) => sum + weightBytes(tensor), 0),
    kvBytes: cacheBytes(share.hyperparameters, limits, blocks),
    activationBytes: bufferBytes(bufferShapes(share.hyperparameters, limits, share)),
  };
}

/** Vectors become F32. */
const weightBytes = (tensor: WantedTensor['tensor']): number =>
  isMatrix(tensor) ? tensor.rows * tensor.rowBytes : 4 * tensor.cols;

/** Layers `first` … `end - 1` on a device; the output is layer `blockCount`. */
export function shareOfLayers(
  { hyperparameters, tensors }: Network,
  device: number,
  first: number,
  end: number,
): Share {
  const { blockCount } = hyperparameters;
  const [firstBlock, endBlock] = [Math.min(first, blockCount), Math.min(end, blockCount)];
  const [embedding, output] = [first === 0 && end > 0, end > blockCount];
  return {
    device,
    hyperparameters,
    firstBlock,
    endBlock,
    embedding,
    output,
    tensors: tensors.filter(({ block, tensor: { name } }) => {
      if (block !== undefined) return block >= firstBlock && block < endBlock;
      if (name === 'rope_freqs.weight') return false; // consumed on the host
      if (name !== 'token_embd.weight') return output;
      return embedding || (output && isTied(tensors));
    }),
  };
}

/** The embedding is the output matrix too. */
const isTied = (tensors: readonly WantedTensor[]): boolean =>
  !tensors.some(({ tensor: { name } }) => name === 'output.weight');

/** Every device with a part of all blocks. @throws QuernError `placement-not-divisible` */
export function sharesByRows(network: Network, ranks: number): Share[] {
  const { blockCount } = network.hyperparameters;
  return cutByRows(network.hyperparameters, network.tensors, ranks).map(({ hyperparameters, tensors }, rank) => ({
    ...shareOfLayers({ ...network, hyperparameters, tensors }, rank, 0, blockCount + 1),
    embedding: rank === 0,
    output: rank === 0,
  }));
}
