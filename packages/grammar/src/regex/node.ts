// A regular expression as a tree. What groups remember does not matter for what matches; where they stand is kept.
import type { CodePointSet } from '../characters/code-point-set.ts';

export type RegexNode =
  | { readonly kind: 'set'; readonly set: CodePointSet }
  /** `captured`: a group that remembers. */
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[]; readonly captured?: true }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly item: RegexNode; readonly min: number; readonly max: number }
  | { readonly kind: 'assertion'; readonly asserts: Assertion }
  /** What follows does (or does not) match from here on. */
  | { readonly kind: 'lookahead'; readonly inner: RegexNode; readonly negated: boolean };

export type Assertion = 'start' | 'end' | 'wordBoundary' | 'noWordBoundary';

/** Why an expression cannot be used; the caller says where it stands. */
export class RegexError extends Error {}
