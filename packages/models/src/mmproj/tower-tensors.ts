// Tensors as towers have them: a matrix with its bias, what stands in every block, a frame of a kernel over time.

import { gatheredRows } from '@quern/checkpoint';
import type { Dimension } from '../arch/dimensions.ts';
import type { TensorRule } from '../arch/tensor-rule.ts';
import type { Change } from '../change/change.ts';

type Rest = Partial<Pick<TensorRule, 'type' | 'presence'>> & { readonly changes?: readonly Change[] };

/** `{i}` in both names is the block. */
export const tensor = (hf: string, gguf: string, shape: readonly Dimension[], rest: Rest = {}): TensorRule => {
  const { changes, presence = 'always', ...rule } = rest;
  return { gguf, shape, presence, stored: { name: hf, ...(changes && { changes }) }, ...rule };
};

/** A matrix (or norm) and its bias. */
export const withBias = (hf: string, gguf: string, shape: readonly Dimension[], rest: Rest = {}): TensorRule[] => [
  tensor(`${hf}.weight`, `${gguf}.weight`, shape, rest),
  tensor(`${hf}.bias`, `${gguf}.bias`, shape.slice(0, 1), { ...rest, type: undefined }),
];

/** Checkpoints of transformers 5 and of before say it in two ways. */
export const alsoNamed = (rules: readonly TensorRule[], now: string, before: string): TensorRule[] =>
  rules.map((rule) => {
    const { name } = rule.stored!;
    if (typeof name !== 'string' || !name.startsWith(now)) return rule;
    return { ...rule, also: [{ ...rule.stored, name: name.replace(now, before) }] };
  });

/** A tower is read from a checkpoint and does not go back into one. */
export const oneWay = (change: Omit<Change, 'toCheckpoint'>): Change => ({
  ...change,
  toCheckpoint: () => {
    throw new Error(`${change.does}: towers are not exported`);
  },
});

/** Frame `index` of `frames` of a kernel [out, channels, frames, height, width]. */
export const frame = (index: number, frames: number): Change =>
  oneWay({
    does: `frame ${index}`,
    moves: 'rows',
    storedShape: ([out, channels, height, width]) => [out!, channels!, frames, height!, width!],
    toGguf: (stored, _place, shape) => {
      const height = shape.at(-2)!;
      const locate = (row: number) => (Math.floor(row / height) * frames + index) * height + (row % height);
      return gatheredRows(stored.name, shape, [stored], (row) => ({ tensor: 0, row: locate(row) }));
    },
  });
