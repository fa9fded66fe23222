// A mixture of experts. A router picks a few experts for each token; each is a gated MLP, and their results are added by
// the router's weights:  y = Σₙ weight[n] · mlp[id[n]](x)
import type { Activation } from '../gated-mlp/spec.ts';

export interface ExpertsSpec {
  readonly kind: 'experts';
  readonly count: number;
  /** How many of them each token uses. */
  readonly used: number;
  /** F, of one expert. */
  readonly width: number;
  readonly activation: Activation;
  readonly router: RouterSpec;
}

/** id, weight = the largest of softmax(router · x). */
export interface RouterSpec {
  readonly kind: 'softmax';
  /** Softmax over all experts, or over the chosen ones alone (transformers' `norm_topk_prob`). */
  readonly over: 'all' | 'chosen';
}
