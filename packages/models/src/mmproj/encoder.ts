// What a record says of a tower that reads images or sound, with the projector behind it: llama.cpp keeps it in a file of its
// own, the mmproj file, whose `general.architecture` is `clip` (class MmprojModel of llama.cpp's conversion/base.py, and
// tools/mtmd/clip.cpp, which reads it).
import type { ConfigRule, FixedConfig, Json } from '../arch/config-rule.ts';
import type { Dimensions } from '../arch/dimensions.ts';
import type { ModelNumbers } from '../arch/model-numbers.ts';
import type { TensorRule } from '../arch/tensor-rule.ts';

/** What a record may ask of the checkpoint beside its configs. */
export interface TowerFacts {
  /** Shape of a stored tensor, by the name that is expected. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Number of a token that is written so. */
  tokenId(text: string): number | undefined;
}

export interface Encoder {
  /** For people: `Qwen3-VL vision tower`. */
  readonly family: string;
  readonly of: 'vision' | 'audio';
  /** Classes of config.json's `architectures`. */
  readonly hf: readonly string[];
  /**
   * Rules of `vision_config` (`audio_config`), in the order of the converter; keys without `clip.`. `text` leads to the
   * config of the text model, `whole` to config.json, `processor` to that of the preprocessor.
   */
  readonly config: readonly ConfigRule[];
  readonly fixed: readonly FixedConfig[];
  readonly ignored?: readonly string[];
  readonly unsupported?: (config: Json) => string | undefined;
  /** Names in GGUF are full; `{i}` is a block. */
  readonly tensors: (config: Json, facts: TowerFacts) => readonly TensorRule[];
  readonly sizes?: (numbers: ModelNumbers, config: Json) => Dimensions;
  /** Tensors that nothing computes with: how their names begin, without words in front, and why they are left out. */
  readonly skipped?: readonly { readonly start: string; readonly why: string }[];
  /** What a person should know, one sentence each. */
  readonly notes?: (config: Json, facts: TowerFacts) => readonly string[];
  /** Mean and standard deviation of a pixel's channels in the published models, where no file of the checkpoint says them. */
  readonly pixels?: { readonly mean: readonly number[]; readonly std: readonly number[] };
}
