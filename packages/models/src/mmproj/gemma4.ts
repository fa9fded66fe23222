// The vision tower of Gemma 4: blocks with norms on both sides, positions learned for rows and columns, pooled 3 × 3.
// Gemma4VisionAudioModel of llama.cpp's conversion/gemma.py.
import type { Json } from '../arch/config-rule.ts';
import type { TensorRule } from '../arch/tensor-rule.ts';
import { orderedColumns } from '../change/ordered.ts';
import { reshaped } from '../change/reshaped.ts';
import type { Encoder } from './encoder.ts';
import { constant, evenHead, otherThan, ropeBase, threeChannels, towerIgnored, visionConfig } from './tower-config.ts';
import { tensor } from './tower-tensors.ts';

export const gemma4Classes = ['Gemma4ForConditionalGeneration'] as const;

const pooled = 3;

/** Red, green and blue of every pixel in the checkpoint, all red first in GGUF. */
const byChannel = orderedColumns('channels apart', (count) => {
  const pixels = count / 3;
  return {
    stored: (column) => (column % pixels) * 3 + Math.floor(column / pixels),
    gguf: (column) => (column % 3) * pixels + Math.floor(column / 3),
  };
});
const asKernel = reshaped(([out, ...rest]) => [out!, rest.reduce((product, size) => product * size, 1)]);

/** A scalar is a vector of one number in GGUF. */
const scalar = reshaped(() => []);

/** A matrix, and the bounds of its input and output where they are clipped. */
export function clippable(config: Json, hf: string, gguf: string, shape: TensorRule['shape']): TensorRule[] {
  const bounds = ['input_max', 'input_min', 'output_max', 'output_min'];
  const clipped = config.use_clipped_linears ?? false;
  return [
    tensor(`${hf}.linear.weight`, `${gguf}.weight`, shape),
    ...(clipped ? bounds.map((end) => tensor(`${hf}.${end}`, `${gguf}.${end}`, ['one'], { changes: [scalar] })) : []),
  ];
}

const block = 'vision_tower.encoder.layers.{i}';

export const gemma4Vision: Encoder = {
  family: 'Gemma 4 vision tower',
  of: 'vision',
  hf: gemma4Classes,
  config: [
    ...visionConfig(
      { embd: 768, ff: 3072, blocks: ['num_hidden_layers', 16], heads: ['num_attention_heads', 12] },
      16,
      () => 224, // of no meaning: images keep their proportions
    ),
    constant('vision.projector_type', 'string', 'gemma4v'),
    { hf: 'rms_norm_eps', gguf: ['vision.attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-6 },
  ],
  fixed: [
    ...threeChannels,
    { key: 'attention_bias', values: [false], why: 'llama.cpp has no biases there' },
    { key: 'hidden_activation', values: ['gelu_pytorch_tanh'], why: 'llama.cpp computes it with GELU' },
  ],
  unsupported: (config) =>
    otherThan(config, ...ropeBase(100), [
      'num_key_value_heads',
      config.num_attention_heads,
      'one per attention head',
    ]) ?? evenHead(config),
  ignored: [...towerIgnored, 'max_position_embeddings', 'default_output_length', 'pooling_kernel_size', 'standardize'],
  tensors: (config) => [
    tensor('embed_vision.embedding_projection.weight', 'mm.input_projection.weight', ['textEmbd', 'embd']),
    tensor(`${block}.input_layernorm.weight`, 'v.blk.{i}.ln1.weight', ['embd']),
    ...clippable(config, `${block}.mlp.down_proj`, 'v.blk.{i}.ffn_down', ['embd', 'ff']),
    ...clippable(config, `${block}.mlp.gate_proj`, 'v.blk.{i}.ffn_gate', ['ff', 'embd']),
    ...clippable(config, `${block}.mlp.up_proj`, 'v.blk.{i}.ffn_up', ['ff', 'embd']),
    tensor(`${block}.post_attention_layernorm.weight`, 'v.blk.{i}.attn_post_norm.weight', ['embd']),
    tensor(`${block}.post_feedforward_layernorm.weight`, 'v.blk.{i}.ffn_post_norm.weight', ['embd']),
    tensor(`${block}.pre_feedforward_layernorm.weight`, 'v.blk.{i}.ln2.weight', ['embd']),
    tensor(`${block}.self_attn.k_norm.weight`, 'v.blk.{i}.attn_k_norm.weight', ['headDim']),
    ...clippable(config, `${block}.self_attn.k_proj`, 'v.blk.{i}.attn_k', ['embd', 'embd']),
    ...clippable(config, `${block}.self_attn.o_proj`, 'v.blk.{i}.attn_out', ['embd', 'embd']),
    tensor(`${block}.self_attn.q_norm.weight`, 'v.blk.{i}.attn_q_norm.weight', ['headDim']),
    ...clippable(config, `${block}.self_attn.q_proj`, 'v.blk.{i}.attn_q', ['embd', 'embd']),
    ...clippable(config, `${block}.self_attn.v_proj`, 'v.blk.{i}.attn_v', ['embd', 'embd']),
    tensor(
      'vision_tower.patch_embedder.input_proj.weight',
      'v.patch_embd.weight',
      ['embd', 'three', 'patch', 'patch'],
      {
        type: 'F16 or F32',
        changes: [byChannel, asKernel],
      },
    ),
    tensor(
      'vision_tower.patch_embedder.position_embedding_table',
      'v.position_embd.weight',
      ['two', 'positions', 'embd'],
      {
        type: 'F32',
      },
    ),
    ...(config.standardize === true
      ? ['std_bias', 'std_scale'].map((name) => tensor(`vision_tower.${name}`, `v.${name}`, ['embd']))
      : []),
  ],
  sizes: (_numbers, config) => ({ positions: config.position_embedding_size ?? 10240, two: 2 }),
  notes: ({ pooling_kernel_size = pooled }) =>
    pooling_kernel_size === pooled
      ? []
      : [
          `the tower pools ${pooling_kernel_size} × ${pooling_kernel_size} patches; llama.cpp's files say nothing about it, and it pools ${pooled} × ${pooled}`,
        ],
  pixels: { mean: [0, 0, 0], std: [1, 1, 1] },
};
