// The weights of a folder: one file, or shards that an index names, or shards without one.
import { join } from 'node:path';
import { joinShards, openByIndex, openFile, openShards } from '@quern/source';
import { readIndex } from './index-file.ts';
import { openSafetensors, type Safetensors, type SafetensorsTensor } from './open.ts';

const errors = 'safetensors';

/**
 * Opens the weights that an index of a folder names; reads headers only.
 * @throws QuernError `safetensors-bad-index`, `safetensors-bad-shard-name`, `safetensors-tensor-not-in-shard`,
 *   `safetensors-tensor-not-in-index`, and those of `openParts`
 */
export async function openIndexed(dir: string, index: string): Promise<Safetensors> {
  const source = await openFile(join(dir, index));
  const weightMap = await readIndex(source).finally(() => source.close());
  return openByIndex(dir, index, weightMap, errors, (names) => openParts(dir, names));
}

/**
 * Opens files of a folder that together are one model.
 * @throws QuernError `safetensors-shard-missing`, `safetensors-tensor-in-two-shards`, and those of `openSafetensors`
 */
export async function openParts(dir: string, names: readonly string[]): Promise<Safetensors> {
  const { files: opened, close } = await openShards(dir, names, { errors, open: openSafetensors });
  try {
    const tensors = joinShards(opened, errors);
    addAliases(tensors, opened);
    const files = opened.flatMap((file) => file.files);
    return { metadata: opened[0]?.metadata ?? new Map(), tensors, files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Tensors that share memory are written once; `__metadata__` then says {"lm_head.weight": "model.embed_tokens.weight"}. */
function addAliases(tensors: Map<string, SafetensorsTensor>, opened: readonly Safetensors[]): void {
  for (const [name, aliasOf] of opened.flatMap(({ metadata }) => [...metadata])) {
    const stored = tensors.get(aliasOf);
    if (stored && stored.aliasOf === undefined && !tensors.has(name)) tensors.set(name, { ...stored, name, aliasOf });
  }
}
