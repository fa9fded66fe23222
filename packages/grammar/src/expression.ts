// The language that GBNF and JSON Schema are translated into: expressions over bytes and characters, with named rules.
import type { CodePointSet } from './characters/code-point-set.ts';
import type { ByteEdge, Measure } from './machine/program.ts';

export type Expression =
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  /** One character of a set, as UTF-8. */
  | { readonly kind: 'characters'; readonly set: CodePointSet }
  /** One whole token: one of `ids`, or any other. */
  | { readonly kind: 'tokens'; readonly ids: readonly number[]; readonly negated: boolean }
  /** A rule of the scope in which the expression stands, or of another one. */
  | { readonly kind: 'rule'; readonly name: string; readonly of?: Scope }
  | { readonly kind: 'sequence'; readonly items: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  | { readonly kind: 'repeat'; readonly item: Expression; readonly min: number; readonly max: number }
  /** What an automaton accepts, with `min` to `max` characters. */
  | { readonly kind: 'automaton'; readonly automaton: ByteAutomaton; readonly min: number; readonly max: number };

/** Rules that name each other. What they do not hold themselves is looked for in `outer`. */
export interface Scope {
  readonly rules: ReadonlyMap<string, Expression>;
  readonly outer?: Scope;
}

/** A deterministic automaton over bytes. State 0 is the start. */
export interface ByteAutomaton {
  readonly states: readonly {
    readonly edges: readonly ByteEdge[];
    readonly final: boolean;
    readonly measure?: Measure;
  }[];
}

const encoder = new TextEncoder();

export const text = (string: string): Expression => ({ kind: 'text', bytes: encoder.encode(string) });
export const rule = (name: string, of?: Scope): Extract<Expression, { kind: 'rule' }> => ({
  kind: 'rule',
  name,
  ...(of && { of }),
});
export const nothing: Expression = { kind: 'sequence', items: [] };
export const sequence = (items: readonly Expression[]): Expression =>
  items.length === 1 ? items[0]! : { kind: 'sequence', items };
export const choice = (options: readonly Expression[]): Expression =>
  options.length === 1 ? options[0]! : { kind: 'choice', options };
export const optional = (item: Expression): Expression => choice([item, nothing]);
export const repeat = (item: Expression, min: number, max = Number.POSITIVE_INFINITY): Expression => ({
  kind: 'repeat',
  item,
  min,
  max,
});
export const automaton = (accepts: ByteAutomaton, min = 0, max = Number.POSITIVE_INFINITY): Expression => ({
  kind: 'automaton',
  automaton: accepts,
  min,
  max,
});
