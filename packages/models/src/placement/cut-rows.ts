// Tensor parallelism: every device ("rank") computes some of the attention heads and some of the feed-forward rows of
// every block. What a rank computes is a narrower network of its own, whose results are added to those of the others. How a
// part is divided its room says (`divide`), by the dimensions that its tensors name: usually
//   attention      q, k, v by heads (rows), attn_output by the same heads (columns)
//   feed-forward   gate and up by rows, down by the same columns; of every expert alike
// Norms and routers are small and whole on every rank; embedding, output and biases of what is added are rank 0's.
// (Shoeybi et al., Megatron-LM, arXiv 1909.08053 §3)
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { BlockSpec, Network, RoomSpec } from '../forward/network.ts';
import type { WantedTensor } from '../forward/network-tensors.ts';
import type { Divider, Division, Range, RoomTensor } from '../forward/room.ts';
import { roomOf } from '../forward/rooms.ts';
import { sliceColumns, sliceRows } from './slice-tensor.ts';

export interface RankModel {
  readonly network: Network;
  readonly tensors: readonly WantedTensor[];
}

/**
 * What each of `ranks` devices computes.
 * @throws QuernError `placement-not-divisible` with the numbers
 */
export function cutByRows(network: Network, tensors: readonly WantedTensor[], ranks: number): RankModel[] {
  if (ranks === 1) return [{ network, tensors }];
  const byBlock = network.blocks.map((_, block) => tensors.filter(({ of }) => of === block));
  return Array.from({ length: ranks }, (_, rank) => {
    const blocks = network.blocks.map((block, i) => divideBlock(block, byBlock[i]!, rank, ranks));
    const whole = tensors.filter(({ of }) => rank === 0 && typeof of !== 'number');
    return {
      network: { ...network, blocks: blocks.map(({ spec }) => spec) },
      tensors: [...whole, ...blocks.flatMap((block) => block.tensors)],
    };
  });
}

function divideBlock(
  block: BlockSpec,
  tensors: readonly WantedTensor[],
  rank: number,
  ranks: number,
): { spec: BlockSpec; tensors: WantedTensor[] } {
  const divisions: Division<RoomSpec>[] = [];
  const subLayers = block.subLayers.map((subLayer) => ({
    ...subLayer,
    parts: subLayer.parts.map((part) => {
      const index = divisions.length;
      const division = dividePart(
        part.room,
        tensors.filter((tensor) => tensor.part?.index === index),
        rank,
        ranks,
      );
      divisions.push(division);
      return { ...part, room: division.spec };
    }),
  }));
  return {
    spec: { ...block, subLayers },
    tensors: tensors.flatMap((wanted) => {
      const { part, tensor } = wanted;
      if (!part) return [wanted];
      if (rank > 0 && part.wanted.once) return [];
      return [{ ...wanted, tensor: cutTensor(tensor, part.wanted, divisions[part.index]!.ranges) }];
    }),
  };
}

function dividePart(spec: RoomSpec, tensors: readonly WantedTensor[], rank: number, ranks: number): Division<RoomSpec> {
  const { divide, title } = roomOf(spec);
  if (!divide) throw notDivisible(`the ${title} of the model`, ranks);
  return divide(spec, dividerOf(tensors, rank, ranks));
}

function dividerOf(tensors: readonly WantedTensor[], rank: number, ranks: number): Divider {
  const count = (total: number, what: string): number => {
    if (total % ranks !== 0) throw notDivisible(`the ${total} ${what} of the model`, ranks);
    return total / ranks;
  };
  return {
    count,
    units: (total, width, what) => {
      const share = count(total, what) * width;
      return [share * rank, share * (rank + 1)];
    },
    width: (size, dimension) => {
      const blockSizes = tensors
        .filter(({ part }) => part?.wanted.cols === dimension)
        .map(({ tensor }) => tensor.dtype.blockSize);
      const unit = Math.max(1, ...blockSizes); // block sizes divide one another
      const units = size / unit;
      if (units < ranks) throw notDivisible(`feed-forward layers of ${size} columns in blocks of ${unit}`, ranks);
      return [Math.floor((units * rank) / ranks) * unit, Math.floor((units * (rank + 1)) / ranks) * unit];
    },
  };
}

function cutTensor(
  tensor: TensorView,
  { rows, cols }: RoomTensor,
  ranges: Readonly<Record<string, Range>>,
): TensorView {
  const columns = cols === undefined ? undefined : ranges[cols]!;
  if (columns) {
    const { blockSize, name } = tensor.dtype;
    if (columns.some((column) => column % blockSize !== 0))
      throw notDivisible(`rows of ${tensor.cols} ${name} weights in blocks of ${blockSize}`, undefined, tensor);
    return sliceColumns(tensor, ...columns);
  }
  return rows === undefined ? tensor : sliceRows(tensor, ...ranges[rows]!);
}

function notDivisible(what: string, ranks: number | undefined, tensor?: TensorView): QuernError {
  const parts = ranks === undefined ? 'over these devices' : `over ${ranks} devices`;
  return new QuernError('placement-not-divisible', `Split by rows, ${what} cannot be divided ${parts}.`, {
    file: tensor?.file,
    tensor: tensor?.name,
    remedy: 'Split by layers instead, or use another number of devices.',
  });
}
