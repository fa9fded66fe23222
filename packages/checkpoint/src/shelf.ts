// Files by name, wherever they lie: in a folder here or in a repository on the hub.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { indexedFiles } from '@quern/safetensors';
import { openFile, parsePythonJson, type Repository, type Source } from '@quern/source';
import { torchIndexedFiles } from '@quern/torch';
import { weightFiles } from './weight-files.ts';

export interface Shelf {
  /** Folder, hub id or address, for messages. */
  readonly shown: string;
  readonly names: readonly string[];
  size(name: string): Promise<number>;
  open(name: string): Promise<Source>;
}

// config.json of real models is some KB.
const maxConfigBytes = 16 * 2 ** 20;

export const localShelf = (dir: string, names: readonly string[]): Shelf => ({
  shown: dir,
  names,
  size: async (name) => (await stat(join(dir, name))).size,
  open: (name) => openFile(join(dir, name)),
});

export function hubShelf(
  { repo, files, open }: Repository,
  folder: string,
  counted: (source: Promise<Source>) => Promise<Source>,
): Shelf {
  const within = files.filter(({ path }) => path.startsWith(folder));
  return {
    shown: folder === '' ? repo : `${repo}/${folder.slice(0, -1)}`,
    names: within.map(({ path }) => path.slice(folder.length)),
    size: async (name) => within.find(({ path }) => path === folder + name)?.size ?? 0,
    open: (name) => counted(open(folder + name)),
  };
}

/** Names in one folder, of an adapter as PEFT and mlx-lm write it. */
const adapterWeights = /^adapters?(_model)?\.(safetensors|bin)$/;

/**
 * Which files of a folder to look into, and the one that says more about them.
 * @throws QuernError `checkpoint-no-weights`, and those of `weightFiles` and `indexedFiles`
 */
export async function filesOf(
  shelf: Shelf,
): Promise<{ container: 'safetensors' | 'torch'; files: readonly string[]; configName: string }> {
  const { names, shown } = shelf;
  const weights = weightFiles(names, shown);
  if (weights) {
    const { container, index, files = [], dialect } = weights;
    return {
      container,
      files: index === undefined ? files : await named(shelf, index, container),
      configName: dialect === 'mistral' ? 'params.json' : 'config.json',
    };
  }
  const files = names.filter((name) => adapterWeights.test(name));
  if (files.length > 0) {
    return {
      container: files[0]!.endsWith('.bin') ? 'torch' : 'safetensors',
      files,
      configName: 'adapter_config.json',
    };
  }
  throw new QuernError('checkpoint-no-weights', 'There are no files of weights.', {
    file: shown,
    remedy: 'Give a file of weights, or the folder of a Hugging Face checkpoint.',
  });
}

async function named(shelf: Shelf, index: string, container: 'safetensors' | 'torch'): Promise<readonly string[]> {
  const source = await shelf.open(index);
  try {
    return await (container === 'torch' ? torchIndexedFiles : indexedFiles)(source);
  } finally {
    await source.close();
  }
}

/** What a JSON file says; undefined when it is no object: it only says more about weights, which speak for themselves. */
export async function readConfig(shelf: Shelf, name: string): Promise<Record<string, unknown> | undefined> {
  const source = await shelf.open(name);
  try {
    if (source.size > maxConfigBytes) return undefined;
    const value: unknown = parsePythonJson(new TextDecoder().decode(await source.read(0, source.size)));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await source.close();
  }
}
