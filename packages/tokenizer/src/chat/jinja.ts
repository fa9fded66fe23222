// The parts of @huggingface/jinja that rendering uses, typed here: its own declarations import without file extensions,
// which TypeScript's `nodenext` resolution does not follow.

import * as jinja from '@huggingface/jinja';

/** A value inside a running template, e.g. `{type: 'StringValue', value: 'user'}`. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
}

/** A node of the syntax tree. */
export interface Node {
  type: string;
  [field: string]: unknown;
}

/** The variables that a template sees. */
export interface Scope {
  set(name: string, value: unknown): RuntimeValue;
}

export interface Evaluator {
  run(program: Node): RuntimeValue;
  evaluate(node: Node | undefined, scope: Scope): RuntimeValue;
}

export const Environment = jinja.Environment as unknown as new () => Scope;
export const Interpreter = jinja.Interpreter as unknown as new (scope: Scope) => Evaluator;

/** Throws the library's own errors. */
export function parseTemplate(template: string): Node {
  const tokens = jinja.tokenize(template, { trim_blocks: true, lstrip_blocks: true });
  return jinja.parse(tokens) as unknown as Node;
}
