// Ops over (token, expert) pairs: slot t·used + n is the n-th expert of token t. Their x has a row per token, which all
// its experts share, or a row per slot.
import { QuernError } from '@quern/errors';
import type { Dims } from './op.ts';

/** @throws QuernError `op-bad-shape` */
export function checkSlots(op: string, { N, T, used }: Dims): void {
  if (N !== T && N !== T! * used!)
    throw new QuernError('op-bad-shape', `${op}: x has ${N} rows, expected T=${T} or T*used=${T! * used!}`);
}
