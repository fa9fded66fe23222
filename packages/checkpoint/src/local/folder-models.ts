// The models in a folder of models: GGUF files, splits, checkpoint folders, and folders of these, as people and programs
// keep them (`MODELS/owner/repo/file.gguf`).
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { QuernError } from '@quern/errors';
import { type FolderFile, type LocalModel, modelsAmong } from './local-model.ts';

/** Deeper lies the rest of a disk, when somebody names its root. */
const deepest = 3;

/**
 * By name. A model is called by its place: `file` without `.gguf`, or its folder when it is alone in it.
 * @throws QuernError `models-folder-missing`
 */
export async function folderModels(dir: string): Promise<LocalModel[]> {
  if (!(await stat(dir).catch(() => undefined))?.isDirectory())
    throw new QuernError('models-folder-missing', 'There is no such folder of models.', { file: dir });
  const found = await modelsBelow(dir, '', []);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @param above the folders that it lies in, as they are: a link to one of them shows nothing new */
async function modelsBelow(root: string, place: string, above: readonly string[]): Promise<LocalModel[]> {
  const dir = join(root, place);
  const real = await realpath(dir).catch(() => dir);
  if (above.includes(real)) return [];
  const files: FolderFile[] = [];
  const folders: string[] = [];
  for (const name of await readdir(dir).catch(() => [])) {
    if (name.startsWith('.')) continue;
    const found = await stat(join(dir, name)).catch(() => undefined);
    if (found?.isDirectory()) folders.push(name);
    if (found?.isFile()) files.push({ path: name, size: found.size, modifiedMs: found.mtimeMs });
  }
  const own = await modelsAmong(dir, files, ({ path, kind }) => {
    if (kind === 'hf') return place === '' ? basename(dir) : place;
    return join(place, path.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, ''));
  });
  const here = own.length === 1 && place !== '' ? own.map((model) => ({ ...model, name: place })) : own;
  // What lies below a checkpoint (`onnx/`, `original/`) is the same model once more.
  if (above.length >= deepest || own.some(({ kind }) => kind === 'hf')) return here;
  const below = await Promise.all(folders.map((name) => modelsBelow(root, join(place, name), [...above, real])));
  return [...here, ...below.flat()];
}
