// The vision tower of Gemma 3: SigLIP, whose patches are averaged to 16 × 16 and projected. Gemma3VisionModel of llama.cpp's
// conversion/gemma.py.
import type { Json } from '../arch/config-rule.ts';
import { plusOne } from '../change/mapped-values.ts';
import type { Encoder } from './encoder.ts';
import { constant, otherThan, threeChannels, towerIgnored, visionConfig } from './tower-config.ts';
import { alsoNamed, tensor, withBias } from './tower-tensors.ts';

/** SigLIP's, where config.json says nothing. */
const imageSize = (config: Json): number => config.image_size ?? 224;
const patchSize = 16;

/** Patches on a side that become one; llama.cpp takes 4 where a file says nothing. */
function averaged(config: Json): number | undefined {
  const tokens: number = config.processor.image_seq_length ?? config.whole.mm_tokens_per_image ?? 256;
  const side = Math.floor(imageSize(config) / (config.patch_size ?? patchSize));
  const factor = Math.floor(side / Math.floor(Math.sqrt(tokens)));
  return factor > 0 && factor !== 4 ? factor : undefined;
}

const block = 'vision_tower.encoder.layers.{i}';

export const gemma3Vision: Encoder = {
  family: 'Gemma 3 vision tower',
  of: 'vision',
  hf: ['Gemma3ForConditionalGeneration'],
  config: [
    ...visionConfig(
      { embd: 768, ff: 3072, blocks: ['num_hidden_layers', 12], heads: ['num_attention_heads', 12] },
      patchSize,
      imageSize,
    ),
    constant('projector_type', 'string', 'gemma3'),
    { hf: 'layer_norm_eps', gguf: ['vision.attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-6 },
    constant('use_gelu', 'bool', true),
    { gguf: ['vision.projector.scale_factor'], type: 'uint32', made: averaged },
  ],
  fixed: [
    ...threeChannels,
    { key: 'hidden_act', values: ['gelu_pytorch_tanh'], why: 'llama.cpp computes it with GELU' },
  ],
  unsupported: (config) => otherThan(config, ['model_type', 'siglip_vision_model', 'the tower is SigLIP']),
  ignored: [...towerIgnored, 'vision_use_head'],
  tensors: () =>
    alsoNamed(
      [
        tensor('multi_modal_projector.mm_input_projection_weight', 'mm.input_projection.weight', ['embd', 'textEmbd'], {
          type: 'F16',
        }),
        tensor('multi_modal_projector.mm_soft_emb_norm.weight', 'mm.soft_emb_norm.weight', ['embd'], {
          changes: [plusOne],
        }),
        tensor('vision_tower.embeddings.patch_embedding.bias', 'v.patch_embd.bias', ['embd']),
        tensor(
          'vision_tower.embeddings.patch_embedding.weight',
          'v.patch_embd.weight',
          ['embd', 'three', 'patch', 'patch'],
          {
            type: 'F32',
          },
        ),
        tensor('vision_tower.embeddings.position_embedding.weight', 'v.position_embd.weight', ['positions', 'embd'], {
          type: 'F32',
        }),
        ...withBias(`${block}.layer_norm1`, 'v.blk.{i}.ln1', ['embd']),
        ...withBias(`${block}.layer_norm2`, 'v.blk.{i}.ln2', ['embd']),
        ...withBias(`${block}.mlp.fc1`, 'v.blk.{i}.ffn_up', ['ff', 'embd']),
        ...withBias(`${block}.mlp.fc2`, 'v.blk.{i}.ffn_down', ['embd', 'ff']),
        ...withBias(`${block}.self_attn.k_proj`, 'v.blk.{i}.attn_k', ['embd', 'embd']),
        ...withBias(`${block}.self_attn.out_proj`, 'v.blk.{i}.attn_out', ['embd', 'embd']),
        ...withBias(`${block}.self_attn.q_proj`, 'v.blk.{i}.attn_q', ['embd', 'embd']),
        ...withBias(`${block}.self_attn.v_proj`, 'v.blk.{i}.attn_v', ['embd', 'embd']),
        ...withBias('vision_tower.post_layernorm', 'v.post_ln', ['embd']),
      ],
      'vision_tower.',
      'vision_tower.vision_model.',
    ),
  sizes: (numbers) => ({ positions: Math.floor(numbers.at('image_size')! / numbers.at('patch_size')!) ** 2 }),
  skipped: [
    { start: 'vision_tower.head.', why: "SigLIP's pooling head, which Gemma does without" },
    { start: 'vision_tower.vision_model.head.', why: "SigLIP's pooling head, which Gemma does without" },
  ],
  pixels: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};
