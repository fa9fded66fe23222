// A regular expression as a tree. Groups are gone: what they remember does not matter for what matches.
import type { CodePointSet } from '../characters/code-point-set.ts';

export type RegexNode =
  | { readonly kind: 'set'; readonly set: CodePointSet }
  | { readonly kind: 'sequence'; readonly items: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  | { readonly kind: 'repeat'; readonly item: RegexNode; readonly min: number; readonly max: number }
  | { readonly kind: 'assertion'; readonly asserts: Assertion }
  /** What follows does (or does not) match from here on. */
  | { readonly kind: 'lookahead'; readonly inner: RegexNode; readonly negated: boolean };

export type Assertion = 'start' | 'end' | 'wordBoundary' | 'noWordBoundary';

/** Why an expression cannot be used; the caller says where it stands. */
export class RegexError extends Error {}
