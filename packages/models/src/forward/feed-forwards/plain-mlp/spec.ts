// y = down · act(up · x), both matrices perhaps with biases
import type { OpParams } from '@quern/runtime';

export interface PlainMlpSpec {
  readonly kind: 'plain-mlp';
  /** F, rows of up. */
  readonly width: number;
  readonly activation: OpParams['act'] | LearnedActivation;
  /** `ffn_up.bias`, `ffn_down.bias` */
  readonly biased: boolean;
}

/** xIELU, whose numbers every block has learned (Apertus). */
export interface LearnedActivation {
  readonly act: 'xielu';
  readonly numbers: OpParams['xielu'];
}
