// A compiled grammar: a graph of nodes over bytes, with calls. Plain data, so that it crosses threads.
//
// It is a recursive transition network: a rule is entered at a node and left at an `end`; what is regular inside a rule stays
// nondeterministic here and becomes deterministic when it is used (local-set.ts). Large counts are not unrolled: they stand
// in the frames of the stack (frame.ts).
import type { ByteClasses } from './byte-classes.ts';

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
  /** Bytes one behind another. It stands at as many places, from `first` on: a place is a node like any other. */
  | { readonly kind: 'text'; readonly first: number; readonly bytes: Uint8Array; readonly next: number }
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

type TextNode = Extract<GrammarNode, { kind: 'text' }>;
/** The byte that a text asks for at one of its places. */
export const byteAt = ({ first, bytes }: TextNode, id: number): number => bytes[id - first]!;

/** Nodes that are an automaton's. */
export interface AutomatonNodes {
  /** Of the automaton: no other one has it, in any thread. */
  readonly id: string;
  readonly first: number;
  readonly count: number;
}

export interface Program {
  /** The nodes (packed.ts): numbers one behind another, and where each begins. */
  readonly code: Float64Array;
  readonly offsets: Int32Array;
  readonly classes: ByteClasses;
  /** By their first node. */
  readonly automata: readonly AutomatonNodes[];
  readonly start: number;
  /** 1 for nodes from which a text can be finished; the others are never entered. */
  readonly finishable: Uint8Array;
}
