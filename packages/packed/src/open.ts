// Stored tensors → packed weights.
import { QuernError } from '@quern/errors';
import type { PackedScheme } from './packed-scheme.ts';
import type { PackedWeight } from './packed-weight.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { TileCache, type TileLimits } from './tile-cache.ts';

/**
 * The packed weights among `tensors`, by name, in the order of their first part. Sizes, dtypes, shapes and the division
 * into groups are proved, and that the tensors are what the configuration says. Tensors that are nobody's `parts` are
 * stored plainly, or say how something else is rounded (not-weights.ts).
 *
 * @throws QuernError `packed-nothing-packed`, `packed-part-missing`, `packed-part-dtype`, `packed-part-shape`,
 *   `packed-config-contradicts`, `packed-group-does-not-divide`, `packed-too-large`, `packed-name-taken`, and what the
 *   room of the format names (docs/formats/packed.md)
 */
export async function openPacked(
  scheme: PackedScheme,
  tensors: ReadonlyMap<string, StoredTensor>,
  limits?: TileLimits,
): Promise<ReadonlyMap<string, PackedWeight>> {
  const weights = new Map<string, PackedWeight>();
  for (const weight of await scheme.open(tensors, new TileCache(limits))) {
    const plain = tensors.get(weight.name);
    if (weights.has(weight.name) || (plain && !weight.parts.includes(weight.name))) {
      throw new QuernError('packed-name-taken', `${weight.name} is stored twice: packed and otherwise.`, {
        file: plain?.file,
        tensor: weight.name,
      });
    }
    weights.set(weight.name, weight);
  }
  if (weights.size > 0) return weights;
  throw new QuernError(
    'packed-nothing-packed',
    `The configuration speaks of ${scheme.description}, and no tensor is packed so.`,
    {
      file: 'config.json',
      remedy: 'Delete it (in config.json: quantization_config) if the weights are plain.',
    },
  );
}
