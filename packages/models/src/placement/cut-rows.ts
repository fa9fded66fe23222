// Tensor parallelism: every device ("rank") computes some of the attention heads and some of the feed-forward rows of
// every block. What a rank computes is a narrower network of its own, whose results are added to those of the others:
//   attention      q, k, v by heads (rows), attn_output by the same heads (columns)
//   feed-forward   gate and up by rows, down by the same columns; of every expert alike
// Norms and routers are small and whole on every rank; embedding, output and the bias of attn_output are rank 0's.
// (Shoeybi et al., Megatron-LM, arXiv 1909.08053 §3)
import type { TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Dimension } from '../arch/architecture.ts';
import type { WantedTensor } from '../forward/weights.ts';
import type { Hyperparameters } from '../hyperparameters.ts';
import { sliceColumns, sliceRows } from './slice-tensor.ts';

type Range = readonly [from: number, to: number];

/** What a rank has of every dimension that is cut. */
type Cuts = Partial<Record<Dimension, Range>>;

export interface RankNetwork {
  readonly hyperparameters: Hyperparameters;
  readonly tensors: readonly WantedTensor[];
}

/**
 * The network of each of `ranks` devices.
 * @throws QuernError `placement-not-divisible` with the numbers
 */
export function cutByRows(
  hyperparameters: Hyperparameters,
  tensors: readonly WantedTensor[],
  ranks: number,
): RankNetwork[] {
  if (ranks === 1) return [{ hyperparameters, tensors }];
  requireHeads(hyperparameters, ranks);
  return Array.from({ length: ranks }, (_, rank) => {
    const cuts = cutsOf(hyperparameters, tensors, rank, ranks);
    return {
      hyperparameters: narrowed(hyperparameters, cuts, ranks),
      tensors: tensors.flatMap((wanted) => {
        const { block, tensor } = wanted;
        if (rank > 0 && (block === undefined || tensor.name.endsWith('attn_output.bias'))) return [];
        return [{ ...wanted, tensor: cutTensor(wanted, cuts) }];
      }),
    };
  });
}

function requireHeads({ headCount, headCountKv }: Hyperparameters, ranks: number): void {
  for (const [heads, what] of [
    [headCountKv, 'key-value heads'],
    [headCount, 'heads'],
  ] as const)
    if (heads % ranks !== 0) throw notDivisible(`the ${heads} ${what} of the model`, ranks);
}

function cutsOf(numbers: Hyperparameters, tensors: readonly WantedTensor[], rank: number, ranks: number): Cuts {
  const { headCount, headCountKv, keyLength, feedForwardLength, experts } = numbers;
  const heads = (count: number): Range => [
    (count / ranks) * keyLength * rank,
    (count / ranks) * keyLength * (rank + 1),
  ];
  const [query, keys] = [heads(headCount), heads(headCountKv)];
  const width = (dimension: Dimension, size: number): Range => cutEvenly(dimension, size, tensors, rank, ranks);
  return {
    q: query,
    attnOut: query,
    k: keys,
    v: keys,
    ...(experts
      ? {
          expertFf: width('expertFf', experts.feedForwardLength),
          ...(experts.sharedFeedForwardLength > 0 && { sharedFf: width('sharedFf', experts.sharedFeedForwardLength) }),
        }
      : { ff: width('ff', feedForwardLength) }),
  };
}

/** Cuts between the blocks of the tensors that have this dimension as columns. */
function cutEvenly(
  dimension: Dimension,
  size: number,
  tensors: readonly WantedTensor[],
  rank: number,
  ranks: number,
): Range {
  const blockSizes = tensors
    .filter(({ rule }) => rule.shape.at(-1) === dimension)
    .map(({ tensor }) => tensor.dtype.blockSize);
  const unit = Math.max(1, ...blockSizes); // block sizes divide one another
  const units = size / unit;
  if (units < ranks) throw notDivisible(`feed-forward layers of ${size} columns in blocks of ${unit}`, ranks);
  return [Math.floor((units * rank) / ranks) * unit, Math.floor((units * (rank + 1)) / ranks) * unit];
}

function cutTensor({ tensor, rule: { shape } }: WantedTensor, cuts: Cuts): TensorView {
  const columns = cuts[shape.at(-1)!];
  if (columns) {
    const { blockSize, name } = tensor.dtype;
    if (columns.some((column) => column % blockSize !== 0))
      throw notDivisible(`rows of ${tensor.cols} ${name} weights in blocks of ${blockSize}`, undefined, tensor);
    return sliceColumns(tensor, ...columns);
  }
  const rows = shape.length > 1 ? cuts[shape.at(-2)!] : undefined;
  return rows ? sliceRows(tensor, ...rows) : tensor;
}

function narrowed(numbers: Hyperparameters, cuts: Cuts, ranks: number): Hyperparameters {
  const size = (range: Range | undefined, whole: number): number => (range ? range[1] - range[0] : whole);
  const { experts } = numbers;
  return {
    ...numbers,
    headCount: numbers.headCount / ranks,
    headCountKv: numbers.headCountKv / ranks,
    feedForwardLength: size(cuts.ff, numbers.feedForwardLength),
    ...(experts && {
      experts: {
        ...experts,
        feedForwardLength: size(cuts.expertFf, experts.feedForwardLength),
        sharedFeedForwardLength: size(cuts.sharedFf, experts.sharedFeedForwardLength),
      },
    }),
  };
}

function notDivisible(what: string, ranks: number | undefined, tensor?: TensorView): QuernError {
  const parts = ranks === undefined ? 'over these devices' : `over ${ranks} devices`;
  return new QuernError('placement-not-divisible', `Split by rows, ${what} cannot be divided ${parts}.`, {
    file: tensor?.file,
    tensor: tensor?.name,
    remedy: 'Split by layers instead, or use another number of devices.',
  });
}
