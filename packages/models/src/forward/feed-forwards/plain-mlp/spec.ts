// y = down · act(up · x), both matrices perhaps with biases
import type { OpParams } from '@quern/runtime';

export interface PlainMlpSpec {
  readonly kind: 'plain-mlp';
  /** F, rows of up. */
  readonly width: number;
  readonly activation: OpParams['act'];
  /** `ffn_up.bias`, `ffn_down.bias` */
  readonly biased: boolean;
}
