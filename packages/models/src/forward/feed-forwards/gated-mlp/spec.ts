// y = down · (act(gate · x) · (up · x))
import type { OpParams } from '@quern/runtime';

export interface GatedMlpSpec {
  readonly kind: 'gated-mlp';
  /** F, rows of gate and up. */
  readonly width: number;
  readonly activation: Activation;
  /** gate and up are the rows of one matrix (`ffn_up`), in this order. */
  readonly fused?: true;
}

/** What is computed of gate and up: `{ act: 'silu' }`, or with more (clamped, of gpt-oss). */
export type Activation = OpParams['gatedAct'];
