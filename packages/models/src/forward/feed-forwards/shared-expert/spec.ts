// An MLP beside the routed experts that every token uses:  y = sigmoid(gate · x) · mlp(x), or mlp(x) without the gate.
import type { Activation } from '../gated-mlp/spec.ts';

export interface SharedExpertSpec {
  readonly kind: 'shared-expert';
  /** F, of all shared experts together: several are one that is wider. */
  readonly width: number;
  readonly activation: Activation;
  /** The MLP itself has no gate: down · act(up · x) (Nemotron-H). */
  readonly plain?: true;
  /** One number per token weighs it (`ffn_gate_inp_shexp`). */
  readonly gated: boolean;
  /** Multiplies what it gives; 1 when not given. */
  readonly scale?: number;
}
