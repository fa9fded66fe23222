// A compiled grammar: a graph of nodes over bytes, with calls. Plain data, so that it crosses threads.
//
// It is a recursive transition network: a rule is entered at a node and left at an `end`; what is regular inside a rule stays
// nondeterministic here and becomes deterministic when it is used (local-set.ts). Large counts are not unrolled: they stand
// in the frames of the stack (frame.ts).

/** `[lowest byte, highest byte, node behind them]` */
export type ByteEdge = readonly [low: number, high: number, next: number];

/** What a `measured` call has to know of a place in its rule. */
export interface Measure {
  /** Between two characters: a byte that is read here begins one, unless it ends the rule. */
  readonly boundary: boolean;
  /** How many characters the rule still reads to its end, at least and at most, behind the one that has begun. */
  readonly least: number;
  readonly most: number;
}

export type GrammarNode =
  /** One byte. */
  | { readonly kind: 'bytes'; edges: readonly ByteEdge[]; readonly measure?: Measure }
  /** One whole token, whatever its bytes: one of `ids`, or any other. */
  | { readonly kind: 'tokens'; readonly ids: readonly number[]; readonly negated: boolean; readonly next: number }
  | { readonly kind: 'jump'; next: readonly number[] }
  | { readonly kind: 'call'; entry: number; readonly next: number }
  /** The rule at `entry`, `min` to `max` times. */
  | { readonly kind: 'repeat'; entry: number; readonly min: number; readonly max: number; readonly next: number }
  /** The rule at `entry` once, with `min` to `max` characters; the rule is deterministic and calls nothing. */
  | { readonly kind: 'measured'; entry: number; readonly min: number; readonly max: number; readonly next: number }
  | { readonly kind: 'end' };

export interface Program {
  readonly nodes: readonly GrammarNode[];
  readonly start: number;
  /** 1 for nodes from which a text can be finished; the others are never entered. */
  readonly finishable: Uint8Array;
  /** 1 for nodes from which an `end` is reached without a byte. */
  readonly nullable: Uint8Array;
}
