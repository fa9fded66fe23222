// A row must be whole blocks. Where it is not, a type of smaller blocks takes over (llama-quant.cpp
// `tensor_type_fallback`): usually more bits, never a failure, and always reported.
import { type DType, dtypeByName } from '@quern/blocks';

const smallerBlocks: Readonly<Record<string, string>> = {
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};

export interface Fallback {
  /** Name of the dtype that the mixture asked for. */
  readonly wanted: string;
  readonly reason: string;
}

export const fallbackFrom = (wanted: DType, cols: number): Fallback => ({
  wanted: wanted.name,
  reason: `rows of ${cols} weights are no multiple of ${wanted.blockSize}`,
});

/** The type that rows of `cols` weights can really have. */
export function typeForRows(wanted: DType, cols: number): { to: DType; fallback?: Fallback } {
  if (cols % wanted.blockSize === 0) return { to: wanted };
  const fallback = fallbackFrom(wanted, cols);
  const smaller = smallerBlocks[wanted.name];
  const to = smaller === undefined ? undefined : dtypeByName(smaller);
  return { to: to && cols % to.blockSize === 0 ? to : dtypeByName('F16'), fallback };
}
