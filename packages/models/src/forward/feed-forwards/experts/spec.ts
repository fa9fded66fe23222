// A mixture of experts. A router picks a few experts for each token; each is a gated MLP, and their results are added by
// the router's weights:  y = Σₙ weight[n] · mlp[id[n]](x), or where the router weighs the input  y = Σₙ mlp[id[n]](weight[n] · x)
import type { Activation } from '../gated-mlp/spec.ts';

export interface ExpertsSpec {
  readonly kind: 'experts';
  readonly count: number;
  /** How many of them each token uses. */
  readonly used: number;
  /** F, of one expert. */
  readonly width: number;
  readonly activation: Activation;
  /** False: an expert is a plain MLP, down · act(up · x) (Nemotron-H). Default true. */
  readonly gated?: boolean;
  /** The experts work in this width, between two matrices that all share (`ffn_latent_down`, `ffn_latent_up`). */
  readonly latent?: number;
  /** gate, up and down of every expert have biases (gpt-oss). */
  readonly biased?: boolean;
  /** gate and up of every expert are one matrix, gate first (`ffn_gate_up_exps`). */
  readonly fused?: boolean;
  readonly router: RouterSpec;
}

/**
 * s = score(router · x); ids = the largest of s + choice bias, within the best groups of experts where there are groups;
 * weights = scale · s[ids], divided by their sum where they are over the chosen ones.
 */
export interface RouterSpec {
  readonly score: 'softmax' | 'sigmoid' | 'sqrt_softplus';
  /** Whether the weights of all experts sum to what the scores do, or those of the chosen ones to 1 (`norm_topk_prob`). */
  readonly over: 'all' | 'chosen';
  /** 1 when not given (`routed_scaling_factor`). */
  readonly scale?: number;
  /** The matrix has a bias (`ffn_gate_inp.bias`). */
  readonly biased?: boolean;
  /** Added to the scores for the choice alone (`exp_probs_b.bias`); stored as a vector, or as a matrix of one row (ERNIE). */
  readonly choiceBias?: 'vector' | 'row';
  readonly groups?: RouterGroups;
  /** The router norms the residual stream itself, with weights of its own (`ffn_gate_inp.scale`). */
  readonly ownNorm?: { readonly eps: number; readonly scale: number };
  /** Then the weight of every expert is multiplied by a learned number (`ffn_down_exps.scale`). */
  readonly expertScale?: boolean;
  /** The weights multiply what the experts read, not what they give (Llama 4); for one expert per token. */
  readonly weighsInput?: boolean;
}

/** Neighbouring experts, of which a token uses those of the best groups only (DeepSeek). */
export interface RouterGroups {
  readonly count: number;
  readonly used: number;
  /** A group is as good as its best expert (V2), or as its two best together (V3). */
  readonly by: 'one' | 'two';
}
