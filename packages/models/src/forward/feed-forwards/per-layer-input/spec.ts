// What a block adds of its own input of the token (forward/per-layer-inputs.ts):  y = projection · (act(gate · x) · input)
import type { Activation } from '../gated-mlp/spec.ts';

export interface PerLayerInputSpec {
  readonly kind: 'per-layer-input';
  /** Number of the block: which part of the inputs is its own. */
  readonly block: number;
  /** Scalars of the input of one block. */
  readonly width: number;
  readonly activation: Activation;
}
