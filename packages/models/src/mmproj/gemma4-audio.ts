// The audio tower of Gemma 4 (E2B, E4B): a conformer behind two convolutions. Gemma4VisionAudioModel of llama.cpp's
// conversion/gemma.py.
import type { Json } from '../arch/config-rule.ts';
import { softplus } from '../change/mapped-values.ts';
import { squeezedKernel } from '../change/reshaped.ts';
import type { Encoder } from './encoder.ts';
import { clippable, gemma4Classes } from './gemma4.ts';
import { audioConfig, constant, evenHead } from './tower-config.ts';
import { tensor } from './tower-tensors.ts';

const block = 'audio_tower.layers.{i}';
const convolutions = 'audio_tower.subsample_conv_projection';
const width = (config: Json): number => config.hidden_size ?? 1024;
const channelsOf = ({ subsampling_conv_channels: [first, second] = [128, 32] }: Json) => ({ first, second });

export const gemma4Audio: Encoder = {
  family: 'Gemma 4 audio tower',
  of: 'audio',
  hf: gemma4Classes,
  config: [
    ...audioConfig(
      { embd: 1024, blocks: ['num_hidden_layers', 12], heads: ['num_attention_heads', 8] },
      (config) => 4 * width(config),
    ),
    constant('audio.projector_type', 'string', 'gemma4a'),
    { hf: 'input_feat_size', gguf: ['audio.num_mel_bins'], type: 'uint32', missing: () => 128 },
    { hf: 'rms_norm_eps', gguf: ['audio.attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-6 },
  ],
  // Numbers that llama.cpp's graph of the tower has built in (tools/mtmd/models/gemma4a.cpp).
  fixed: [
    { key: 'hidden_act', values: ['silu'], why: 'llama.cpp computes it with SiLU' },
    { key: 'residual_weight', values: [0.5], why: 'llama.cpp adds halves' },
    { key: 'attention_chunk_size', values: [12], why: 'llama.cpp has chunks of 12' },
    { key: 'attention_context_left', values: [13], why: 'llama.cpp looks back 12 and itself' },
    { key: 'attention_context_right', values: [0], why: 'llama.cpp looks at nothing ahead' },
    { key: 'attention_logit_cap', values: [50], why: 'llama.cpp caps at 50' },
  ],
  unsupported: evenHead,
  ignored: [
    ...['attention_invalid_logits_value', 'gradient_clipping', 'conv_kernel_size', 'use_clipped_linears'],
    ...['output_proj_dims', 'subsampling_conv_channels'],
  ],
  tensors: (given) => {
    // transformers' default is to clip here, and not to clip in the vision tower.
    const config = { ...given, use_clipped_linears: given.use_clipped_linears ?? true };
    const feedForward = (hf: string, end: string) => [
      ...clippable(config, `${block}.${hf}.ffw_layer_1`, `a.blk.{i}.ffn_up${end}`, ['ff', 'embd']),
      ...clippable(config, `${block}.${hf}.ffw_layer_2`, `a.blk.{i}.ffn_down${end}`, ['embd', 'ff']),
      tensor(`${block}.${hf}.post_layer_norm.weight`, `a.blk.{i}.ffn_post_norm${end}.weight`, ['embd']),
      tensor(`${block}.${hf}.pre_layer_norm.weight`, `a.blk.{i}.ffn_norm${end}.weight`, ['embd']),
    ];
    return [
      ...feedForward('feed_forward1', ''),
      ...feedForward('feed_forward2', '_1'),
      tensor(`${block}.lconv1d.conv_norm.weight`, 'a.blk.{i}.norm_conv.weight', ['embd']),
      tensor(`${block}.lconv1d.depthwise_conv1d.weight`, 'a.blk.{i}.conv_dw.weight', ['embd', 'taps'], {
        type: 'F32',
        changes: [squeezedKernel],
      }),
      ...clippable(config, `${block}.lconv1d.linear_end`, 'a.blk.{i}.conv_pw2', ['embd', 'embd']),
      ...clippable(config, `${block}.lconv1d.linear_start`, 'a.blk.{i}.conv_pw1', ['embdTwice', 'embd']),
      tensor(`${block}.lconv1d.pre_layer_norm.weight`, 'a.blk.{i}.conv_norm.weight', ['embd']),
      tensor(`${block}.norm_out.weight`, 'a.blk.{i}.ln2.weight', ['embd']),
      tensor(`${block}.norm_post_attn.weight`, 'a.blk.{i}.attn_post_norm.weight', ['embd']),
      tensor(`${block}.norm_pre_attn.weight`, 'a.blk.{i}.attn_pre_norm.weight', ['embd']),
      ...clippable(config, `${block}.self_attn.k_proj`, 'a.blk.{i}.attn_k', ['embd', 'embd']),
      tensor(`${block}.self_attn.per_dim_scale`, 'a.blk.{i}.per_dim_scale.weight', ['headDim'], {
        changes: [softplus],
      }),
      ...clippable(config, `${block}.self_attn.post`, 'a.blk.{i}.attn_out', ['embd', 'embd']),
      ...clippable(config, `${block}.self_attn.q_proj`, 'a.blk.{i}.attn_q', ['embd', 'embd']),
      tensor(`${block}.self_attn.relative_k_proj.weight`, 'a.blk.{i}.attn_k_rel.weight', ['embd', 'embd']),
      ...clippable(config, `${block}.self_attn.v_proj`, 'a.blk.{i}.attn_v', ['embd', 'embd']),
      tensor('audio_tower.output_proj.bias', 'a.pre_encode.out.bias', ['projected']),
      tensor('audio_tower.output_proj.weight', 'a.pre_encode.out.weight', ['projected', 'embd']),
      tensor(`${convolutions}.input_proj_linear.weight`, 'a.input_projection.weight', ['embd', 'flattened'], {
        type: 'F32',
      }),
      tensor(`${convolutions}.layer0.conv.weight`, 'a.conv1d.0.weight', ['first', 'one', 'three', 'three'], {
        type: 'F32',
      }),
      tensor(`${convolutions}.layer0.norm.weight`, 'a.conv1d.0.norm.weight', ['first']),
      tensor(`${convolutions}.layer1.conv.weight`, 'a.conv1d.1.weight', ['second', 'first', 'three', 'three'], {
        type: 'F32',
      }),
      tensor(`${convolutions}.layer1.norm.weight`, 'a.conv1d.1.norm.weight', ['second']),
      tensor('embed_audio.embedding_projection.weight', 'mm.a.input_projection.weight', ['textEmbd', 'projected']),
    ];
  },
  sizes: (_numbers, config) => {
    const { first, second } = channelsOf(config);
    return {
      ...{ first, second, flattened: Math.floor(first / 4) * second },
      ...{ taps: config.conv_kernel_size ?? 5, projected: config.output_proj_dims ?? 1536 },
    };
  },
};
