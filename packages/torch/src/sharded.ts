// A checkpoint folder with weights of torch.save: one pytorch_model.bin, or shards that pytorch_model.bin.index.json names,
// or shards without one. The index and the shards must say the same.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { openFile } from '@quern/source';
import { readTorchIndex } from './index-file.ts';
import { openTorch, type TorchFile } from './open.ts';
import type { TorchTensor } from './tensors/state-dict.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Opens the weights that an index of a folder names; reads pickles only.
 * @throws QuernError `torch-bad-index`, `torch-bad-shard-name`, `torch-tensor-not-in-shard`, `torch-tensor-not-in-index`,
 *   and those of `openTorchParts`
 */
export async function openTorchIndex(dir: string, index: string): Promise<TorchFile> {
  const path = join(dir, index);
  const source = await openFile(path);
  const weightMap = await readTorchIndex(source).finally(() => source.close());
  const file = await openTorchParts(dir, [...new Set(weightMap.values())].sort());
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
 * @throws QuernError `torch-shard-missing`, `torch-tensor-in-two-shards`, and those of `openTorch`
 */
export async function openTorchParts(dir: string, names: readonly string[]): Promise<TorchFile> {
  await checkPresent(dir, names);
  const opened: TorchFile[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((file) => file.close()));
  };
  try {
    for (const name of names) opened.push(await openPath(join(dir, name)));
    return {
      tensors: joined(opened),
      others: opened.flatMap(({ others }) => others),
      files: opened.flatMap(({ files }) => files),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPath(path: string): Promise<TorchFile> {
  const source = await openFile(path);
  try {
    return await openTorch(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** All that are missing are told at once: they are fetched once. */
async function checkPresent(dir: string, names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await exists(join(dir, name)))) missing.push(name);
  if (missing.length === 0) return;
  const [what, it] =
    missing.length === 1
      ? [`The file ${missing[0]} is missing`, 'it']
      : [`${missing.length} files are missing: ${missing.join(', ')}`, 'them'];
  throw new QuernError('torch-shard-missing', `${what} (of ${names.length} that belong to these weights).`, {
    file: dir,
    remedy: `Fetch ${it} into the folder.`,
  });
}

function joined(opened: readonly TorchFile[]): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  for (const file of opened) {
    for (const [name, tensor] of file.tensors) {
      const other = tensors.get(name);
      if (other) {
        throw new QuernError('torch-tensor-in-two-shards', `The tensor is also in ${other.source.name}.`, {
          file: file.files[0],
          tensor: name,
          remedy: 'Keep the files of one model in the folder.',
        });
      }
      tensors.set(name, tensor);
    }
  }
  return tensors;
}

function checkIndex(
  index: string,
  weightMap: ReadonlyMap<string, string>,
  dir: string,
  tensors: ReadonlyMap<string, TorchTensor>,
): void {
  for (const [name, { source }] of tensors) {
    const listed = weightMap.get(name);
    if (listed !== undefined && join(dir, listed) === source.name) continue;
    const place = { file: source.name, tensor: name };
    if (listed === undefined)
      throw new QuernError('torch-tensor-not-in-index', 'The index does not list this tensor.', place);
    throw new QuernError('torch-tensor-not-in-shard', `The index puts it into ${listed}.`, place);
  }
  for (const [name, shard] of weightMap) {
    if (tensors.has(name)) continue;
    throw new QuernError('torch-tensor-not-in-shard', `The index puts it into ${shard}, which lacks it.`, {
      file: index,
      tensor: name,
    });
  }
}
