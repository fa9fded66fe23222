// Weights that the input stores packed (AWQ, GPTQ, MXFP4 …). The input shows their values as F32; where the wanted type
// holds the same codes, these are copied instead of being made anew from the values.
import type { DType } from '@quern/blocks';

/** What a planner needs to know of a packed weight; `PackedForms` of a `TensorView` has it. */
export interface PackedSource {
  readonly format: string;
  /** Bytes of all its parts. */
  readonly storedBytes: number;
  readonly exact: readonly { readonly dtype: DType; readonly values: 'same' | 'scales-rounded' }[];
}

/** What a plan says of one. */
export interface PackedOrigin {
  readonly format: string;
  readonly storedBytes: number;
  /** Its codes are copied; absent when they are not. `scales-rounded`: a scale or offset is rounded to F16. */
  readonly codes?: 'same' | 'scales-rounded';
}

interface Origin {
  readonly from: DType;
  readonly packed?: PackedOrigin;
}

/** How a tensor becomes `to`: from its codes if they fit, else from its values. */
export function originOf({ dtype, packed }: { dtype: DType; packed?: PackedSource }, to: DType): Origin {
  if (!packed) return { from: dtype };
  const { format, storedBytes, exact } = packed;
  const form = exact.find((one) => one.dtype === to);
  return form
    ? { from: form.dtype, packed: { format, storedBytes, codes: form.values } }
    : { from: dtype, packed: { format, storedBytes } };
}

/** The type that loses least: the smallest with the same values, else the smallest with the same codes. */
export const closestType = ({ exact }: PackedSource): DType | undefined =>
  (exact.find(({ values }) => values === 'same') ?? exact[0])?.dtype;
