// Which tensors of a plan an importance matrix steers, and which cannot do without one.
import { codecOf, type DType, hasCodec } from '@quern/blocks';
import type { FileType } from './file-types.ts';
import type { TensorPlan } from './plan.ts';

/** An importance matrix as far as a plan needs it. */
export interface PlannedImatrix {
  readonly path: string;
  readonly datasets: readonly string[];
  readonly chunkCount: number;
  /** By tensor name in the input. */
  readonly entries: ReadonlyMap<string, unknown>;
}

/** Types that are garbage without an importance matrix (llama-quant.cpp `tensor_requires_imatrix`). */
const wantImatrix: ReadonlySet<string> = new Set(['IQ3_XXS', 'IQ2_XXS', 'IQ2_XS', 'IQ2_S', 'IQ1_M', 'IQ1_S']);

/** Weights that are looked up or near the output: llama.cpp measures none of them, and never insists. */
const exempt: ReadonlySet<string> = new Set(['token_embd.weight', 'per_layer_token_embd.weight', 'output.weight']);

/**
 * What the plan says about the importance of a tensor that becomes `to`: used, missing where the type needs it, missing
 * where it would help; undefined when it decides nothing.
 */
export function importanceFor(
  name: string,
  to: DType,
  row: FileType,
  entry: boolean,
  imatrix: boolean,
): TensorPlan['importance'] {
  const codec = hasCodec(to) ? codecOf(to) : undefined;
  const insists = codec?.needsImportance ?? false;
  const wants = !exempt.has(name) && (wantImatrix.has(to.name) || (row.wantsImatrix?.includes(to.name) ?? false));
  if (entry) return codec === undefined || codec.weighting ? 'used' : undefined;
  if (insists || wants) return 'needed';
  return imatrix && codec?.weighting && !exempt.has(name) ? 'missing' : undefined;
}
