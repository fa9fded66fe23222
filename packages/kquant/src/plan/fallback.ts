// A row must be whole blocks. Where it is not, a type of smaller blocks takes over (llama-quant.cpp
// `tensor_type_fallback`): usually more bits, never a failure, and always reported.
import { type DType, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';

const smallerBlocks: Readonly<Record<string, string>> = {
  IQ1_S: 'IQ4_NL',
  IQ1_M: 'IQ4_NL',
  IQ2_XXS: 'IQ4_NL',
  IQ2_XS: 'IQ4_NL',
  IQ2_S: 'IQ4_NL',
  IQ3_XXS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
  IQ4_XS: 'IQ4_NL',
  TQ1_0: 'Q4_0',
  TQ2_0: 'Q4_0',
  Q2_0: 'Q4_0',
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

/**
 * The type that rows of `cols` weights can really have.
 * @throws QuernError `no-smaller-blocks` for types that llama.cpp has no fallback for
 */
export function typeForRows(wanted: DType, cols: number): { to: DType; fallback?: Fallback } {
  if (cols % wanted.blockSize === 0) return { to: wanted };
  const fallback = fallbackFrom(wanted, cols);
  const smaller = smallerBlocks[wanted.name];
  if (smaller === undefined && wanted.blockSize > 32) {
    throw new QuernError('no-smaller-blocks', `${sentence(fallback.reason)}, and nothing takes its place.`, {
      remedy: `Choose another type than ${wanted.name}.`,
    });
  }
  const to = smaller === undefined ? undefined : dtypeByName(smaller);
  return { to: to && cols % to.blockSize === 0 ? to : dtypeByName('F16'), fallback };
}

const sentence = (text: string): string => text[0]!.toUpperCase() + text.slice(1);
