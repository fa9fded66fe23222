// Leaving layers out: the others move up and are renamed (llama-quant.cpp `remap_layer`).
import { QuernError } from '@quern/errors';

export interface Pruned<T> {
  /** With their new names. */
  readonly tensors: readonly (T & { readonly sourceName?: string })[];
  /** Layers that are left. */
  readonly layers: number;
}

const layerPattern = /blk\.(\d+)\./;

/** `3,4,10`. @throws QuernError `usage-prune-layers` */
export function parseLayers(text: string): number[] {
  const layers = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  if (layers.every(Number.isSafeInteger)) return layers;
  throw new QuernError('usage-prune-layers', `'${text}' is no list of layers.`, { remedy: 'Write numbers: 3,4,10.' });
}

/**
 * @param tensors in the order of `compareTensorNames`
 * @throws QuernError `usage-prune-layers` for a layer that the model does not have, or when none would be left
 */
export function pruneLayers<T extends { readonly name: string }>(
  tensors: readonly T[],
  layers: readonly number[],
  file: string,
): Pruned<T> {
  const numbers = tensors.flatMap(({ name }) => layerPattern.exec(name)?.[1] ?? []).map(Number);
  const there = [...new Set(numbers)].sort((a, b) => a - b);
  const unknown = layers.find((layer) => !there.includes(layer));
  if (unknown !== undefined)
    throw new QuernError('usage-prune-layers', `There is no layer ${unknown} to leave out.`, {
      file,
      remedy: `The layers are ${there[0] ?? 'none'} to ${there.at(-1) ?? 'none'}.`,
    });
  const left = there.filter((layer) => !layers.includes(layer));
  if (left.length === 0) throw new QuernError('usage-prune-layers', 'No layer would be left.', { file });

  // Numbers below the first pruned one stay as they are, also if some are missing; later ones close up.
  const firstPruned = Math.min(...layers);
  const renumbered = new Map<number, number>();
  let next = 0;
  for (const layer of left) {
    const number = layer < firstPruned ? layer : next;
    renumbered.set(layer, number);
    next = number + 1;
  }
  const kept = tensors.flatMap((tensor) => {
    const found = layerPattern.exec(tensor.name);
    if (!found) return [tensor];
    const number = renumbered.get(Number(found[1]));
    if (number === undefined) return [];
    if (number === Number(found[1])) return [tensor];
    return [{ ...tensor, name: tensor.name.replace(layerPattern, `blk.${number}.`), sourceName: tensor.name }];
  });
  return { tensors: kept, layers: next };
}
