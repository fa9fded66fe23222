// Keys that every tower has in an mmproj file. Order: MmprojModel.set_gguf_parameters of llama.cpp's conversion/base.py.
import { isAbsent, show, valueAt } from '../arch/config-error.ts';
import type { ConfigRule, Json, KeyRule } from '../arch/config-rule.ts';
import { maxBlocks } from '../arch/model-numbers.ts';

/** Names of the sizes in config.json and what an absent key means to transformers. */
export interface TowerSizes {
  readonly embd: number;
  readonly ff: number;
  readonly blocks: readonly [key: string, missing: number];
  readonly heads: readonly [key: string, missing: number];
}

const size = (hf: string, gguf: string, missing: number, max?: number): KeyRule => ({
  hf,
  gguf: [gguf],
  type: 'uint32',
  missing: () => missing,
  ...(max !== undefined && { max }),
});

/** Width of the text model, which the projector leads to. */
const projection = (of: string): KeyRule => ({
  hf: 'text.hidden_size',
  gguf: [`${of}.projection_dim`],
  type: 'uint32',
});

/** Of a vision tower; `imageSize` is what the image is scaled to, where there is one size. */
export const visionConfig = (sizes: TowerSizes, patch: number, imageSize: (config: Json) => number): ConfigRule[] => [
  { gguf: ['has_vision_encoder'], type: 'bool', made: () => true },
  projection('vision'),
  { gguf: ['vision.image_size'], type: 'uint32', made: imageSize },
  size('patch_size', 'vision.patch_size', patch, 1024),
  ...layers('vision', sizes),
  { gguf: ['vision.image_mean'], type: 'float32', made: (config) => channels(config, 'image_mean') },
  { gguf: ['vision.image_std'], type: 'float32', made: (config) => channels(config, 'image_std') },
];

/** Of an audio tower. */
export const audioConfig = (sizes: Omit<TowerSizes, 'ff'>, ff: (config: Json) => number): ConfigRule[] => [
  { gguf: ['has_audio_encoder'], type: 'bool', made: () => true },
  projection('audio'),
  size('hidden_size', 'audio.embedding_length', sizes.embd),
  { gguf: ['audio.feed_forward_length'], type: 'uint32', made: ff },
  size(sizes.blocks[0], 'audio.block_count', sizes.blocks[1], maxBlocks),
  size(sizes.heads[0], 'audio.attention.head_count', sizes.heads[1]),
];

const layers = (of: string, { embd, ff, blocks, heads }: TowerSizes): ConfigRule[] => [
  size('hidden_size', `${of}.embedding_length`, embd),
  size('intermediate_size', `${of}.feed_forward_length`, ff),
  size(blocks[0], `${of}.block_count`, blocks[1], maxBlocks),
  size(heads[0], `${of}.attention.head_count`, heads[1]),
];

export const constant = (gguf: string, type: ConfigRule['type'], value: string | boolean | number): ConfigRule => ({
  gguf: [gguf],
  type,
  made: () => value,
});

const channels = ({ processor }: Json, key: string): readonly number[] => processor[key];

/** Keys of other parts than the tower's that must have one value: `fixed` sees the tower's own. */
export function otherThan(
  config: Json,
  ...wanted: readonly (readonly [path: string, value: unknown, why: string])[]
): string | undefined {
  for (const [path, value, why] of wanted) {
    const found = valueAt(config, path);
    if (!isAbsent(found) && found !== value) return `"${path.replace(/^whole\./, '')}": ${show(found)} (${why})`;
  }
  return undefined;
}

/** Positions turn with this base in llama.cpp, which has no key for another. */
export const ropeBase = (theta: number): readonly (readonly [string, unknown, string])[] =>
  ['rope_theta', 'rope_parameters.rope_theta'].map((path) => [path, theta, `llama.cpp computes with ${theta}`]);

/** What says nothing about a tower's numbers beside the keys that say nothing anywhere. */
export const towerIgnored: readonly string[] = ['rope_parameters.rope_type', 'num_channels', 'in_channels'];

/** Images have three channels. */
export const threeChannels = [
  { key: 'num_channels', values: [3], why: 'images have three channels' },
  { key: 'in_channels', values: [3], why: 'images have three channels' },
] as const;

export const evenHead = ({ head_dim, hidden_size, num_attention_heads }: Json): string | undefined =>
  isAbsent(head_dim) || head_dim * num_attention_heads === hidden_size
    ? undefined
    : `"head_dim": ${show(head_dim)} (llama.cpp computes with hidden_size / num_attention_heads)`;
