// The text of config.json. JavaScript has one kind of number and writes 10000 for 10000.0; Python tells them apart, and
// versions of transformers refuse or complain about an integer where a float belongs.
import { pythonJson } from '@quern/source';

/** Keys whose values are floats in transformers' config classes. */
const floatKeys = [
  ...['rope_theta', 'factor', 'low_freq_factor', 'high_freq_factor', 'attention_factor', 'extrapolation_factor'],
  ...['beta_fast', 'beta_slow', 'partial_rotary_factor', 'rms_norm_eps', 'attention_dropout', 'temperature', 'top_p'],
  ...['final_logit_softcapping', 'attn_logit_softcapping', 'rope_local_base_freq', 'mscale', 'mscale_all_dim'],
  ...['llama_4_scaling_beta', 'swiglu_limit', 'router_aux_loss_coef', 'routed_scaling_factor', 'layer_norm_eps'],
  ...['layer_norm_epsilon', 'embedding_multiplier', 'attention_multiplier', 'residual_multiplier', 'logits_scaling'],
];
const wholeFloat = new RegExp(`^( *"(?:${floatKeys.join('|')})": -?\\d+)(,?)$`, 'gm');

export const configText = (config: Readonly<Record<string, unknown>>): string =>
  `${pythonJson(config, 2).replace(wholeFloat, '$1.0$2')}\n`;
