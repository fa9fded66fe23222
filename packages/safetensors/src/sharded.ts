// The weights of a folder: one file, or shards that an index names, or shards without one. The index and the shards must
// say the same: a tensor that only one of them knows is an error, not a guess.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { openFile } from '@quern/source';
import { readIndex } from './index-file.ts';
import { openSafetensors, type Safetensors, type SafetensorsTensor } from './open.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Opens the weights that an index of a folder names; reads headers only.
 * @throws QuernError `safetensors-bad-index`, `safetensors-bad-shard-name`, `safetensors-tensor-not-in-shard`,
 *   `safetensors-tensor-not-in-index`, and those of `openParts`
 */
export async function openIndexed(dir: string, index: string): Promise<Safetensors> {
  const path = join(dir, index);
  const source = await openFile(path);
  const weightMap = await readIndex(source).finally(() => source.close());
  const file = await openParts(dir, [...new Set(weightMap.values())].sort());
  try {
    checkIndex(path, weightMap, dir, file.tensors);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Opens files of a folder that together are one model.
 * @throws QuernError `safetensors-shard-missing`, `safetensors-tensor-in-two-shards`, and those of `openSafetensors`
 */
export async function openParts(dir: string, names: readonly string[]): Promise<Safetensors> {
  await checkPresent(dir, names);
  const opened: Safetensors[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((file) => file.close()));
  };
  try {
    for (const name of names) opened.push(await openPath(join(dir, name)));
    const files = opened.flatMap((file) => file.files);
    return { metadata: opened[0]?.metadata ?? new Map(), tensors: joined(opened), files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** All that are missing are told at once: they are fetched once. */
async function checkPresent(dir: string, names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await exists(join(dir, name)))) missing.push(name);
  if (missing.length === 0) return;
  const files =
    missing.length === 1
      ? `The file ${missing[0]} is missing`
      : `${missing.length} files are missing: ${missing.join(', ')}`;
  throw new QuernError('safetensors-shard-missing', `${files} (of ${names.length} that belong to these weights).`, {
    file: dir,
    remedy: `Fetch ${missing.length === 1 ? 'it' : 'them'} into the folder.`,
  });
}

async function openPath(path: string): Promise<Safetensors> {
  const source = await openFile(path);
  try {
    return await openSafetensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function joined(opened: readonly Safetensors[]): Map<string, SafetensorsTensor> {
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, tensor] of opened.flatMap((file) => [...file.tensors])) {
    const other = tensors.get(name);
    if (other) {
      throw new QuernError('safetensors-tensor-in-two-shards', `The tensor is also in ${other.source.name}.`, {
        file: tensor.source.name,
        tensor: name,
        offset: tensor.begin,
        remedy: 'Keep the files of one model in the folder.',
      });
    }
    tensors.set(name, tensor);
  }
  addAliases(tensors, opened);
  return tensors;
}

/** Tensors that share memory are written once; `__metadata__` then says {"lm_head.weight": "model.embed_tokens.weight"}. */
function addAliases(tensors: Map<string, SafetensorsTensor>, opened: readonly Safetensors[]): void {
  for (const [name, aliasOf] of opened.flatMap(({ metadata }) => [...metadata])) {
    const stored = tensors.get(aliasOf);
    if (stored && stored.aliasOf === undefined && !tensors.has(name)) tensors.set(name, { ...stored, name, aliasOf });
  }
}

function checkIndex(
  index: string,
  weightMap: ReadonlyMap<string, string>,
  dir: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
): void {
  for (const [name, { source, begin, aliasOf }] of tensors) {
    const listed = weightMap.get(name);
    const agrees = listed === undefined ? aliasOf !== undefined : join(dir, listed) === source.name;
    if (agrees) continue;
    const place = { file: source.name, tensor: name, offset: begin };
    if (listed === undefined) {
      throw new QuernError('safetensors-tensor-not-in-index', 'The index does not list this tensor.', place);
    }
    throw new QuernError('safetensors-tensor-not-in-shard', `The index puts it into ${listed}.`, place);
  }
  for (const [name, shard] of weightMap) {
    if (tensors.has(name)) continue;
    throw new QuernError('safetensors-tensor-not-in-shard', `The index puts it into ${shard}, which lacks it.`, {
      file: index,
      tensor: name,
    });
  }
}
