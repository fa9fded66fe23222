// y = down · (act(gate · x) · (up · x))
export interface GatedMlpSpec {
  readonly kind: 'gated-mlp';
  /** F, rows of gate and up. */
  readonly width: number;
  readonly activation: Activation;
}

/** What the op gatedAct computes of the gate. */
export type Activation = 'silu';
