// Draft blocks (multi-token prediction) that are built like blocks of the network, under names of their own.
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
