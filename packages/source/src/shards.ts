// Files of a folder that together are one model, whatever their format, and what an index says of them. The index and the
// files must say the same: a tensor that only one of them knows is an error, not a guess.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { openFile } from './file.ts';
import type { Source } from './source.ts';

export interface ShardTensor {
  readonly source: Pick<Source, 'name'>;
  /** Where its data begin, in formats that store them in one piece. */
  readonly begin?: number;
  /** It is another tensor's data, which no index need list. */
  readonly aliasOf?: string;
}

export interface Shard<Tensor extends ShardTensor> {
  readonly tensors: ReadonlyMap<string, Tensor>;
  close(): Promise<void>;
}

/** @param errors how codes of errors begin: `safetensors` */
export interface ShardFormat<File> {
  readonly errors: string;
  open(source: Source): Promise<File>;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Opens all files, or none.
 * @throws QuernError `…-shard-missing`, and those of the format
 */
export async function openShards<File extends { close(): Promise<void> }>(
  dir: string,
  names: readonly string[],
  { errors, open }: ShardFormat<File>,
): Promise<{ files: readonly File[]; close: () => Promise<void> }> {
  await checkPresent(dir, names, errors);
  const files: File[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(files.map((file) => file.close()));
  };
  try {
    for (const name of names) files.push(await openPath(join(dir, name), open));
    return { files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPath<File>(path: string, open: (source: Source) => Promise<File>): Promise<File> {
  const source = await openFile(path);
  try {
    return await open(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** All that are missing are told at once: they are fetched once. */
async function checkPresent(dir: string, names: readonly string[], errors: string): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await exists(join(dir, name)))) missing.push(name);
  if (missing.length === 0) return;
  const [what, it] =
    missing.length === 1
      ? [`The file ${missing[0]} is missing`, 'it']
      : [`${missing.length} files are missing: ${missing.join(', ')}`, 'them'];
  throw new QuernError(`${errors}-shard-missing`, `${what} (of ${names.length} that belong to these weights).`, {
    file: dir,
    remedy: `Fetch ${it} into the folder.`,
  });
}

/** @throws QuernError `…-tensor-in-two-shards` */
export function joinShards<Tensor extends ShardTensor>(
  opened: readonly Pick<Shard<Tensor>, 'tensors'>[],
  errors: string,
): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of opened.flatMap((file) => [...file.tensors])) {
    const other = tensors.get(name);
    if (other) {
      throw new QuernError(`${errors}-tensor-in-two-shards`, `The tensor is also in ${other.source.name}.`, {
        file: tensor.source.name,
        tensor: name,
        offset: tensor.begin,
        remedy: 'Keep the files of one model in the folder.',
      });
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

/**
 * Opens the files that an index names.
 * @param weightMap tensor name → file name, as the index has it
 * @throws QuernError `…-tensor-not-in-shard`, `…-tensor-not-in-index`, and those of `open`
 */
export async function openByIndex<Tensor extends ShardTensor, Model extends Shard<Tensor>>(
  dir: string,
  index: string,
  weightMap: ReadonlyMap<string, string>,
  errors: string,
  open: (names: readonly string[]) => Promise<Model>,
): Promise<Model> {
  const model = await open([...new Set(weightMap.values())].sort());
  try {
    checkIndex(join(dir, index), weightMap, dir, model.tensors, errors);
    return model;
  } catch (error) {
    await model.close();
    throw error;
  }
}

function checkIndex(
  index: string,
  weightMap: ReadonlyMap<string, string>,
  dir: string,
  tensors: ReadonlyMap<string, ShardTensor>,
  errors: string,
): void {
  for (const [name, { source, begin, aliasOf }] of tensors) {
    const listed = weightMap.get(name);
    const agrees = listed === undefined ? aliasOf !== undefined : join(dir, listed) === source.name;
    if (agrees) continue;
    const place = { file: source.name, tensor: name, offset: begin };
    if (listed === undefined)
      throw new QuernError(`${errors}-tensor-not-in-index`, 'The index does not list this tensor.', place);
    throw new QuernError(`${errors}-tensor-not-in-shard`, `The index puts it into ${listed}.`, place);
  }
  for (const [name, shard] of weightMap) {
    if (tensors.has(name)) continue;
    throw new QuernError(`${errors}-tensor-not-in-shard`, `The index puts it into ${shard}, which lacks it.`, {
      file: index,
      tensor: name,
    });
  }
}
