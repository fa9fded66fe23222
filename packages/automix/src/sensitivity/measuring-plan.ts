// Which types of which tensors are measured. Measuring all takes a forward pass per tensor and type; the usual plan takes
// one per tensor and each of two types, near 3 and near 4.5 bits, and predicts the others from their squared errors
// (`predictDivergence`). With `everyLayers` n only the first of every n tensors of one kind (attn_q of all blocks) and the
// last are measured, and those between get what their neighbours tell.
import type { TensorPlan } from '@quern/kquant';
import type { Quantizable } from '../plan/candidates.ts';

export interface MeasuringOptions {
  /** Types measured of each tensor: 1, 2 or all. Default 2. */
  readonly measured?: 1 | 2 | 'all';
  /** Measure the first of so many tensors of each kind. Default 1: all. */
  readonly everyLayers?: number;
}

export interface Measurement {
  readonly tensor: Quantizable;
  readonly plan: TensorPlan;
}

/** Near these the squared error is large enough to be measured well and small enough to be like others. */
const anchorBits: Readonly<Record<1 | 2, readonly number[]>> = { 1: [4.5], 2: [4.5, 3] };

const bitsOf = ({ to }: TensorPlan): number => (to.typeSize * 8) / to.blockSize;

/** Candidates that change the tensor: all but the last, which keeps its type. */
export const changesOf = ({ candidates }: Quantizable): readonly TensorPlan[] => candidates.slice(0, -1);

/** The types of a tensor to be measured, in the order of its candidates. */
export function measuredTypes(tensor: Quantizable, { measured = 2 }: MeasuringOptions): readonly TensorPlan[] {
  const changes = changesOf(tensor);
  if (measured === 'all') return changes;
  const nearest = (bits: number): TensorPlan | undefined =>
    changes.reduce<TensorPlan | undefined>(
      (best, plan) => (best && Math.abs(bitsOf(best) - bits) <= Math.abs(bitsOf(plan) - bits) ? best : plan),
      undefined,
    );
  const wanted = new Set(anchorBits[measured].map(nearest));
  return changes.filter((plan) => wanted.has(plan));
}

/** The name without the number of the block. */
export const kindOf = ({ name }: Quantizable): string => name.replace(/^blk\.\d+\./, '');

/** The tensors to be measured, by kind, each kind in the order of the network. */
export function measuredTensors(
  tensors: readonly Quantizable[],
  { everyLayers = 1 }: MeasuringOptions,
): ReadonlyMap<string, readonly Quantizable[]> {
  const kinds = new Map<string, Quantizable[]>();
  for (const tensor of [...tensors].sort(inNetwork)) {
    const kind = kindOf(tensor);
    kinds.set(kind, [...(kinds.get(kind) ?? []), tensor]);
  }
  const isWanted = (i: number, count: number): boolean => i % everyLayers === 0 || i === count - 1;
  return new Map([...kinds].map(([kind, all]) => [kind, all.filter((_, i) => isWanted(i, all.length))]));
}

const inNetwork = (a: Quantizable, b: Quantizable): number => (a.block ?? -1) - (b.block ?? -1);

/** Everything to be measured, in the order of the network: what embeds the tokens first. */
export function measurements(tensors: readonly Quantizable[], options: MeasuringOptions): Measurement[] {
  const wanted = new Set([...measuredTensors(tensors, options).values()].flat());
  return tensors
    .filter((tensor) => wanted.has(tensor))
    .sort(inNetwork)
    .flatMap((tensor) => measuredTypes(tensor, options).map((plan) => ({ tensor, plan })));
}
