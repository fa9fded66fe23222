// Draft blocks (multi-token prediction) that are built like blocks of the network, under names of their own.
import type { ConfigRule } from './config-rule.ts';
import type { StoredAs, TensorRule } from './tensor-rule.ts';

const renamed = (stored: StoredAs, prefix: string): StoredAs => {
  const one = (name: string) => name.replace('model.layers.{i}.', prefix);
  const { name } = stored;
  return {
    ...stored,
    name: typeof name === 'string' ? one(name) : name.map((part) => ({ ...part, name: one(part.name) })),
  };
};

/** Rules of blocks as those of draft blocks, which a checkpoint stores under `prefix` (`mtp.layers.{m}.`). */
export const inDraft = (rules: readonly TensorRule[], prefix: string): TensorRule[] =>
  rules.map(({ stored, also, blocks: _, ...rule }) => ({
    ...rule,
    ...(stored && { stored: renamed(stored, prefix) }),
    ...(also && { also: also.map((way) => renamed(way, prefix)) }),
    draft: 'only',
  }));

/** Rules of blocks that draft blocks have as well, as further layers of the same names. */
export const alsoInDraft = (rules: readonly TensorRule[]): TensorRule[] =>
  rules.map((rule) => ({ ...rule, draft: 'too' }));

/**
 * The key that counts draft blocks; `hf`: that of config.json, if it has one.
 * @param zero the converter writes a 0 that config.json says
 */
export const draftCount = (hf: string | undefined, { zero = false } = {}): ConfigRule => ({
  gguf: ['nextn_predict_layers'],
  type: 'uint32',
  made: (config, { draftBlocks }) => draftBlocks || (zero && hf && config[hf] === 0 ? 0 : undefined),
  ...(hf && { back: ({ draftBlocks }) => ({ [hf]: draftBlocks }) }),
});

const draft = (hf: string, gguf: string, rest: Pick<TensorRule, 'shape' | 'presence'>): TensorRule => ({
  gguf: `blk.{i}.nextn.${gguf}.weight`,
  ...rest,
  draft: 'only',
  stored: { name: `model.layers.{i}.${hf}.weight` },
});

/** What draft blocks have beside that of other blocks, where they are further layers with the same names. */
export const furtherLayerDraft: readonly TensorRule[] = [
  draft('eh_proj', 'eh_proj', { shape: ['embd', 'embdTwice'], presence: 'always' }),
  draft('enorm', 'enorm', { shape: ['embd'], presence: 'always' }),
  draft('hnorm', 'hnorm', { shape: ['embd'], presence: 'always' }),
  draft('embed_tokens', 'embed_tokens', { shape: ['vocab', 'embd'], presence: 'optional' }),
  draft('shared_head.head', 'shared_head_head', { shape: ['vocab', 'embd'], presence: 'optional' }),
  draft('shared_head.norm', 'shared_head_norm', { shape: ['embd'], presence: 'optional' }),
];

/** The same in Ling, where the norm behind a draft block has a name of its own. */
export const lingDraft: readonly TensorRule[] = [
  ...furtherLayerDraft.filter(({ gguf }) => /eh_proj|enorm|hnorm/.test(gguf)),
  {
    gguf: 'blk.{i}.layer_output_norm.weight',
    shape: ['embd'],
    presence: 'always',
    draft: 'only',
    stored: { name: 'model.layers.{i}.final_layernorm.weight' },
  },
];

/** Draft blocks that are further layers: how the names of theirs begin. */
export const furtherLayer = (mainBlocks: number): string => `layers.${mainBlocks}.`;

const joined = (hf: string, gguf: string, shape: TensorRule['shape']): TensorRule => ({
  gguf: `blk.{i}.nextn.${gguf}.weight`,
  shape,
  presence: 'always',
  draft: 'only',
  stored: { name: `mtp.${hf}.weight` },
});

/** The same under Qwen's names, with plain norms. */
export const joinedDraft: readonly TensorRule[] = [
  joined('fc', 'eh_proj', ['embd', 'embdTwice']),
  joined('pre_fc_norm_embedding', 'enorm', ['embd']),
  joined('pre_fc_norm_hidden', 'hnorm', ['embd']),
  joined('norm', 'shared_head_norm', ['embd']),
];
