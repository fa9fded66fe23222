// Pixtral's vision tower as Mistral Small 3.1 and later have it: rope of two dimensions, a merger of 2 × 2 patches, and the
// embedding of the token that ends a row of patches. LlavaVisionModel of llama.cpp's conversion/llava.py.
import { gatheredRows } from '@quern/checkpoint';
import type { Json } from '../arch/config-rule.ts';
import { halvesToPairs } from '../change/permuted-heads.ts';
import type { Encoder, TowerFacts } from './encoder.ts';
import { constant, evenHead, otherThan, ropeBase, threeChannels, towerIgnored, visionConfig } from './tower-config.ts';
import { oneWay, tensor } from './tower-tensors.ts';

const block = 'vision_tower.transformer.layers.{i}';
const projector = 'multi_modal_projector';
const activation = (config: Json, name: string): true | undefined =>
  (config.hidden_act ?? 'gelu') === name ? true : undefined;

/** Ends a row of patches in the text. */
const rowEnd = '[IMG_BREAK]';
const embedding = 'language_model.model.embed_tokens.weight';

/**
 * llama.cpp's reader wants its embedding in the file (tools/mtmd/clip.cpp); its converter, which skips all names of the
 * language model before it looks for it, writes none for these checkpoints.
 */
function rowEndTensor({ tokenId, shapeOf }: TowerFacts) {
  const [id, stored] = [tokenId(rowEnd), shapeOf(embedding)];
  if (id === undefined || !stored || id >= stored[0]!) return [];
  const row = oneWay({
    does: `row ${id}`,
    moves: 'rows',
    storedShape: () => stored,
    toGguf: (whole, _place, shape) => gatheredRows(whole.name, shape, [whole], () => ({ tensor: 0, row: id })),
  });
  return [tensor(embedding, 'v.token_embd.img_break', ['textEmbd'], { changes: [row] })];
}

export const pixtralVision: Encoder = {
  family: 'Pixtral vision tower',
  of: 'vision',
  hf: ['Mistral3ForConditionalGeneration'],
  config: [
    ...visionConfig(
      { embd: 1024, ff: 4096, blocks: ['num_hidden_layers', 24], heads: ['num_attention_heads', 16] },
      16,
      (config) => config.image_size ?? 1024,
    ),
    constant('projector_type', 'string', 'pixtral'),
    { hf: 'layer_norm_eps', gguf: ['vision.attention.layer_norm_epsilon'], type: 'float32', missing: () => 1e-5 },
    { gguf: ['use_silu'], type: 'bool', made: (config) => activation(config, 'silu') },
    { gguf: ['use_gelu'], type: 'bool', made: (config) => activation(config, 'gelu') },
    { hf: 'whole.spatial_merge_size', gguf: ['vision.spatial_merge_size'], type: 'uint32', missing: () => 2, max: 64 },
  ],
  fixed: [
    ...threeChannels,
    { key: 'hidden_act', values: ['silu', 'gelu'], why: 'llama.cpp computes it with SiLU or GELU' },
    { key: 'model_type', values: ['pixtral'], why: 'the tower is Pixtral' },
  ],
  unsupported: (config) =>
    otherThan(
      config,
      ...ropeBase(10000),
      ['whole.vision_feature_layer', -1, 'the last block is projected'],
      ['whole.projector_hidden_act', 'gelu', 'llama.cpp computes the projector with GELU'],
    ) ?? evenHead(config),
  ignored: towerIgnored,
  tensors: (config, facts) => [
    tensor(`${projector}.linear_1.weight`, 'mm.1.weight', ['textEmbd', 'embd']),
    tensor(`${projector}.linear_2.weight`, 'mm.2.weight', ['textEmbd', 'textEmbd']),
    ...(config.whole.multimodal_projector_bias === true
      ? [1, 2].map((i) => tensor(`${projector}.linear_${i}.bias`, `mm.${i}.bias`, ['textEmbd']))
      : []),
    tensor(`${projector}.norm.weight`, 'mm.input_norm.weight', ['embd']),
    tensor(`${projector}.patch_merger.merging_layer.weight`, 'mm.patch_merger.weight', ['embd', 'merged'], {
      type: 'F16 or F32',
    }),
    tensor('vision_tower.ln_pre.weight', 'v.pre_ln.weight', ['embd']),
    tensor('vision_tower.patch_conv.weight', 'v.patch_embd.weight', ['embd', 'three', 'patch', 'patch'], {
      type: 'F16 or F32',
    }),
    tensor(`${block}.attention.k_proj.weight`, 'v.blk.{i}.attn_k.weight', ['embd', 'embd'], {
      changes: [halvesToPairs('heads')],
    }),
    tensor(`${block}.attention.o_proj.weight`, 'v.blk.{i}.attn_out.weight', ['embd', 'embd']),
    tensor(`${block}.attention.q_proj.weight`, 'v.blk.{i}.attn_q.weight', ['embd', 'embd'], {
      changes: [halvesToPairs('heads')],
    }),
    tensor(`${block}.attention.v_proj.weight`, 'v.blk.{i}.attn_v.weight', ['embd', 'embd']),
    tensor(`${block}.attention_norm.weight`, 'v.blk.{i}.ln1.weight', ['embd']),
    tensor(`${block}.feed_forward.down_proj.weight`, 'v.blk.{i}.ffn_down.weight', ['embd', 'ff']),
    tensor(`${block}.feed_forward.gate_proj.weight`, 'v.blk.{i}.ffn_gate.weight', ['ff', 'embd']),
    tensor(`${block}.feed_forward.up_proj.weight`, 'v.blk.{i}.ffn_up.weight', ['ff', 'embd']),
    tensor(`${block}.ffn_norm.weight`, 'v.blk.{i}.ln2.weight', ['embd']),
    ...rowEndTensor(facts),
  ],
  sizes: (numbers) => ({ merged: numbers.at('embedding_length')! * numbers.at('spatial_merge_size')! ** 2 }),
  notes: (_config, facts) =>
    rowEndTensor(facts).length > 0
      ? []
      : [
          `the tokenizer has no token ${rowEnd}: its embedding is not in the mmproj file, which llama.cpp will not load without it`,
        ],
  pixels: { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] },
};
