// What each device of a placement computes and holds. A plan counts the bytes of these shares, loading fills them: one
// description, so that the two cannot disagree.
import type { ScaledAdapter } from '../adapter/lora.ts';
import { adaptableWeights } from '../forward/adapters/adaptable.ts';
import { isEmbedding, type PlacedPair, pairBytes } from '../forward/adapters/adapter-buffers.ts';
import type { BatchLimits } from '../forward/batch-limits.ts';
import { bufferBytes, bufferShapes } from '../forward/buffers.ts';
import { withDraftBlocks } from '../forward/draft/draft-weights.ts';
import type { Holding } from '../forward/holding.ts';
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
  readonly pairs: readonly PlacedPair[];
  /** The draft blocks that run on the device of the output. */
  readonly draft?: DraftShare;
}

/** A part of its own, beside that of the device. */
export interface DraftShare extends Holding {
  /** Its blocks are those of the whole network, and the draft blocks behind them. */
  readonly network: Network;
  readonly draft: true;
  readonly tensors: readonly WantedTensor[];
}

/** What `planPlacement` and `loadModel` know of the model. */
export interface PlannedModel {
  readonly network: Network;
  readonly tensors: readonly WantedTensor[];
  readonly limits: BatchLimits;
  readonly adapters: readonly ScaledAdapter[];
  /** The draft blocks shall be loaded. */
  readonly draft: boolean;
  readonly file: string;
}

export type ShareBytes = Pick<DevicePlacement, 'weightBytes' | 'kvBytes' | 'activationBytes'>;

/** With its draft blocks. */
export function bytesOfShare(share: Share, limits: BatchLimits): ShareBytes {
  const parts = partsOfShare(share);
  const total = (bytes: (part: SharePart) => number): number => parts.reduce((sum, part) => sum + bytes(part), 0);
  return {
    weightBytes: total(
      ({ tensors, pairs = [] }) =>
        tensors.reduce((sum, { tensor }) => sum + weightBytes(tensor), 0) +
        pairs.reduce((sum, pair) => sum + pairBytes(pair), 0),
    ),
    kvBytes: total((part) => heldStateBytes(part.network, limits, part)),
    activationBytes: total((part) => bufferBytes(bufferShapes(part.network, limits, part), limits)),
  };
}

/** What is reserved and loaded as one: blocks of the network with what stands before and behind them, or draft blocks. */
export interface SharePart extends Holding {
  readonly network: Network;
  readonly tensors: readonly WantedTensor[];
}

export const partsOfShare = ({ draft, ...own }: Share): SharePart[] => [own, ...(draft ? [draft] : [])];

/** Vectors become F32. */
const weightBytes = (tensor: WantedTensor['tensor']): number =>
  isMatrix(tensor) ? tensor.rows * tensor.rowBytes : 4 * tensor.cols;

/** Layers `first` … `end - 1` on a device; the output is layer `blocks.length`, and draft blocks go with it. */
export function shareOfLayers(model: PlannedModel, device: number, first: number, end: number): Share {
  const share = plainShare(model, device, first, end);
  return model.draft && share.output ? { ...share, draft: draftShare(model, share) } : share;
}

function draftShare({ network, tensors }: PlannedModel, { embedding }: Share): DraftShare {
  const firstBlock = network.blocks.length;
  const { draft, output } = network;
  // Where the table is not there for another reason.
  const table = !embedding && !output.tied && draft.some(({ ownEmbedding }) => !ownEmbedding);
  return {
    ...{ firstBlock, endBlock: firstBlock + draft.length, embedding: false, output: false, draft: true },
    network: withDraftBlocks(network),
    tensors: tensors.filter(({ of }) => (of === 'embedding' ? table : typeof of === 'number' && of >= firstBlock)),
  };
}

function plainShare(
  { network, tensors, adapters = [] }: Pick<PlannedModel, 'network' | 'tensors'> & Partial<PlannedModel>,
  device: number,
  first: number,
  end: number,
): Share {
  const blockCount = network.blocks.length;
  const [firstBlock, endBlock] = [Math.min(first, blockCount), Math.min(end, blockCount)];
  const [embedding, output] = [first === 0 && end > 0, end > blockCount];
  const held = tensors.filter(({ of }) => {
    if (of === 'embedding') return embedding || (output && network.output.tied);
    if (of === 'inputs') return embedding;
    if (of === 'output') return output;
    return of !== 'host' && of >= firstBlock && of < endBlock;
  });
  const names = new Set(held.map(({ tensor }) => tensor.name));
  const pairs = placedPairs(network, adapters).filter(
    ({ pair }) => names.has(pair.weight) && (embedding || !isEmbedding(pair)),
  );
  return { device, network, firstBlock, endBlock, embedding, output, tensors: held, pairs };
}

function placedPairs(network: Network, adapters: readonly ScaledAdapter[]): PlacedPair[] {
  if (adapters.length === 0) return [];
  const adaptable = adaptableWeights(network);
  return adapters.flatMap(({ adapter: { pairs } }, adapter) =>
    [...pairs.values()].map((pair) => ({ adapter, pair, ...adaptable.get(pair.weight)! })),
  );
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
export function sharesByRows(model: PlannedModel, ranks: number): Share[] {
  const { network, tensors } = model;
  return cutByRows(network, tensors, ranks).map((cut, rank) => {
    const first = rank === 0;
    const share = { ...plainShare(cut, rank, 0, network.blocks.length + 1), embedding: first, output: first };
    return first && model.draft ? { ...share, draft: draftShare(model, share) } : share;
  });
}
