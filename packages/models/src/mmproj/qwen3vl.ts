// The vision tower of Qwen3-VL, Qwen 3.5, 3.6 and 3.8: patches of two frames, a merger of 2 × 2 patches, and in Qwen3-VL
// further mergers whose results are added to the first blocks of the text model (deepstack). Qwen3VLVisionModel of
// llama.cpp's conversion/qwen3vl.py.
import { configError, isAbsent, show } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import type { TensorRule } from '../arch/tensor-rule.ts';
import type { Encoder } from './encoder.ts';
import { constant, otherThan, ropeBase, threeChannels, towerIgnored, visionConfig } from './tower-config.ts';
import { frame, tensor, withBias } from './tower-tensors.ts';

const frames = 2;
const patchSize = 16;

const positions = (config: Json): number => config.num_position_embeddings ?? 2304;

/** Positions are learned for a square of patches. */
function imageSize(config: Json): number {
  return config.image_size ?? Math.floor(Math.sqrt(positions(config)) * (config.patch_size ?? patchSize));
}

/** Blocks whose output goes through a merger of its own, in the order of the mergers. */
function deepstack({ deepstack_visual_indexes: blocks, depth = 27 }: Json): number[] {
  if (isAbsent(blocks)) return [];
  const isBlock = (block: unknown) => Number.isInteger(block) && (block as number) >= 0 && (block as number) < depth;
  if (Array.isArray(blocks) && blocks.every(isBlock) && new Set(blocks).size === blocks.length) return blocks;
  throw configError(`"deepstack_visual_indexes" is ${show(blocks)}, blocks from 0 to ${depth - 1} are needed`);
}

const merger = (hf: string, gguf: string): TensorRule[] => [
  ...withBias(`${hf}.norm`, `${gguf}.norm`, ['merged']),
  ...withBias(`${hf}.linear_fc1`, `${gguf}.fc1`, ['merged', 'merged']),
  ...withBias(`${hf}.linear_fc2`, `${gguf}.fc2`, ['textEmbd', 'merged']),
];

const patch = { type: 'F16 or F32' } as const;
const patchShape = ['embd', 'three', 'patch', 'patch'];

export const qwen3vlVision: Encoder = {
  family: 'Qwen3-VL vision tower',
  of: 'vision',
  hf: [
    'Qwen3VLForConditionalGeneration',
    'Qwen3VLMoeForConditionalGeneration',
    'Qwen3_5ForConditionalGeneration',
    'Qwen3_5MoeForConditionalGeneration',
  ],
  config: [
    ...visionConfig({ embd: 1152, ff: 4304, blocks: ['depth', 27], heads: ['num_heads', 16] }, patchSize, imageSize),
    constant('projector_type', 'string', 'qwen3vl_merger'),
    constant('use_gelu', 'bool', true),
    { hf: 'spatial_merge_size', gguf: ['vision.spatial_merge_size'], type: 'uint32', missing: () => 2, max: 64 },
    // Layer norms of the tower; the converter takes the number of the text model, which is the same.
    constant('vision.attention.layer_norm_epsilon', 'float32', 1e-6),
    {
      gguf: ['vision.is_deepstack_layers'],
      type: 'bool',
      made: (config) => Array.from({ length: config.depth ?? 27 }, (_, i) => deepstack(config).includes(i)),
    },
  ],
  fixed: [
    ...threeChannels,
    { key: 'temporal_patch_size', values: [frames], why: 'llama.cpp has two frames' },
    { key: 'hidden_act', values: ['gelu_pytorch_tanh'], why: 'llama.cpp computes it with GELU' },
  ],
  unsupported: (config) =>
    otherThan(config, ...ropeBase(10000), [
      'out_hidden_size',
      config.text?.hidden_size,
      'the text model has another width',
    ]),
  ignored: [...towerIgnored, 'out_hidden_size', 'num_position_embeddings'],
  tensors: (config) => [
    ...withBias('visual.blocks.{i}.attn.proj', 'v.blk.{i}.attn_out', ['embd', 'embd']),
    ...withBias('visual.blocks.{i}.attn.qkv', 'v.blk.{i}.attn_qkv', ['qkv', 'embd']),
    ...withBias('visual.blocks.{i}.mlp.linear_fc1', 'v.blk.{i}.ffn_up', ['ff', 'embd']),
    ...withBias('visual.blocks.{i}.mlp.linear_fc2', 'v.blk.{i}.ffn_down', ['embd', 'ff']),
    ...withBias('visual.blocks.{i}.norm1', 'v.blk.{i}.ln1', ['embd']),
    ...withBias('visual.blocks.{i}.norm2', 'v.blk.{i}.ln2', ['embd']),
    ...deepstack(config).flatMap((block, i) => merger(`visual.deepstack_merger_list.${i}`, `v.deepstack.${block}`)),
    ...withBias('visual.merger.linear_fc1', 'mm.0', ['merged', 'merged']),
    ...withBias('visual.merger.linear_fc2', 'mm.2', ['textEmbd', 'merged']),
    ...withBias('visual.merger.norm', 'v.post_ln', ['embd']),
    tensor('visual.patch_embed.proj.bias', 'v.patch_embd.bias', ['embd']),
    tensor('visual.patch_embed.proj.weight', 'v.patch_embd.weight', patchShape, {
      ...patch,
      changes: [frame(0, frames)],
    }),
    tensor('visual.patch_embed.proj.weight', 'v.patch_embd.weight.1', patchShape, {
      ...patch,
      changes: [frame(1, frames)],
    }),
    tensor('visual.pos_embed.weight', 'v.position_embd.weight', ['positions', 'embd'], { type: 'F32' }),
  ],
  sizes: (numbers, config) => {
    const embd = numbers.at('embedding_length')!;
    return { qkv: 3 * embd, merged: embd * numbers.at('spatial_merge_size')! ** 2, positions: positions(config) };
  },
  pixels: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
};
