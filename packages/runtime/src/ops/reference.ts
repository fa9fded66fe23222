// The reference implementation of an op: plain TypeScript over typed arrays, sums in f64, no cleverness.
import { addReference } from './add/reference.ts';
import { attentionReference } from './attention/reference.ts';
import { embedReference } from './embed/reference.ts';
import { gatedActReference } from './gated-act/reference.ts';
import { gatherRowsReference } from './gather-rows/reference.ts';
import type { OpName, OpParams } from './index.ts';
import { kvWriteReference } from './kv-write/reference.ts';
import { logProbReference } from './log-prob/reference.ts';
import { matmulReference } from './matmul/reference.ts';
import { rmsNormReference } from './rms-norm/reference.ts';
import { ropeReference } from './rope/reference.ts';
import { scaleReference } from './scale/reference.ts';
import { softmaxReference } from './softmax/reference.ts';
import type { Dims } from './spec.ts';

/** A checked call: operands by name. `y` is the output, whatever its name in the spec. */
export interface ReferenceCall<Name extends OpName = OpName> {
  readonly dims: Dims;
  readonly params: OpParams[Name];
  /** An F32 input. */
  f32(operand: string): Float32Array;
  /** An I32 input. */
  i32(operand: string): Int32Array;
  /** Row `row` of a weight matrix, decoded into `into`. */
  row(operand: string, row: number, into: Float32Array): void;
  /** True when an optional operand was given. */
  has(operand: string): boolean;
  readonly y: Float32Array;
}

export const references: { readonly [Name in OpName]: (call: ReferenceCall<Name>) => void } = {
  embed: embedReference,
  rmsNorm: rmsNormReference,
  matmul: matmulReference,
  rope: ropeReference,
  kvWrite: kvWriteReference,
  attention: attentionReference,
  gatedAct: gatedActReference,
  add: addReference,
  scale: scaleReference,
  gatherRows: gatherRowsReference,
  softmax: softmaxReference,
  logProb: logProbReference,
};
