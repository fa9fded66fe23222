// What becomes of the weights of a tensor, from nothing at all to rounding for the second time.
import type { TensorPlan } from './plan.ts';

/**
 * - `copied`: the bytes of the input.
 * - `same-codes`: the codes of a packed weight in the blocks of a ggml type, every value equal.
 * - `scales-rounded`: the same, but a scale or offset had to be rounded to F16.
 * - `same-values`: another type that holds every value.
 * - `rounded`: to a float of fewer bits.
 * - `quantized`: codes made from floats.
 * - `requantized`: codes made from the values of other codes.
 */
export type Fidelity =
  | 'copied'
  | 'same-codes'
  | 'scales-rounded'
  | 'same-values'
  | 'rounded'
  | 'quantized'
  | 'requantized';

export function fidelityOf({ from, via, to, packed }: Pick<TensorPlan, 'from' | 'via' | 'to' | 'packed'>): Fidelity {
  if (packed?.codes) return packed.codes === 'same' ? 'same-codes' : 'scales-rounded';
  if (to === from && !packed) return 'copied';
  if (to.name === 'F32' && (!via || via === to)) return 'same-values';
  if (to.blockSize === 1) return 'rounded';
  return packed || from.blockSize > 1 ? 'requantized' : 'quantized';
}

/** Tensors of each fidelity; those that no tensor has are left out. */
export function countFidelity(tensors: readonly TensorPlan[]): Partial<Record<Fidelity, number>> {
  const counts: Partial<Record<Fidelity, number>> = {};
  for (const tensor of tensors) {
    const fidelity = fidelityOf(tensor);
    counts[fidelity] = (counts[fidelity] ?? 0) + 1;
  }
  return counts;
}

/** Whether codes that the input had were given up or changed. */
export const losesCodes = (tensor: TensorPlan): boolean =>
  tensor.packed !== undefined && !['same-codes', 'same-values'].includes(fidelityOf(tensor));
