// Lists among the metadata whose numbers a checkpoint stores as tensors, block by block (../lens/listed-numbers.ts).
import type { ModelView, TensorView } from '@quern/checkpoint';
import type { ExpectedTensor } from '../arch/expected-tensors.ts';
import { computedTensor } from '../lens/made-tensors.ts';

/** The tensors of the file, and one for each number of such a list. */
export function withListed(
  { tensors, metadata, path }: ModelView,
  expected: readonly ExpectedTensor[],
): ReadonlyMap<string, TensorView> {
  const all = new Map(tensors);
  for (const { rule, gguf, shape, block } of expected) {
    const value = rule.listed === undefined ? undefined : metadata.get(rule.listed);
    if (!value || block === undefined) continue;
    // One number stands for all blocks.
    const number: unknown = value.type === 'array' ? value.value[block] : value.value;
    if (typeof number === 'number') all.set(gguf, computedTensor(gguf, Float32Array.of(number), shape, path));
  }
  return all;
}
