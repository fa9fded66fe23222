// Signs of eight weights. IQ2_XXS, IQ2_XS and IQ3_XXS store seven of them: their grids are used for an even number of
// negative weights only, so the eighth follows. (ggml-common.h lists the 128 results as ksigns_iq2xs.)

/** Eight sign bits from the seven stored: the last makes their number even. */
export function evenSigns(stored: number): number {
  let odd = stored;
  odd ^= odd >> 4;
  odd ^= odd >> 2;
  odd ^= odd >> 1;
  return stored | ((odd & 1) << 7);
}

/** `value`, negated where bit `i` of `signs` is set. */
export const signed = (value: number, signs: number, i: number): number => ((signs >> i) & 1 ? -value : value);
