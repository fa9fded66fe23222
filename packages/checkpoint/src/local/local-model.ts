// A model that is on this machine, as listings show it and as servers offer it: told by the names of files alone.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedFile } from '@quern/source';
import { ggufModels } from '../choose-gguf.ts';
import { weightFiles } from '../weight-files.ts';

export interface LocalModel {
  /** What a person types. */
  readonly name: string;
  /** The GGUF file (the first of its splits) or the checkpoint folder. */
  readonly path: string;
  readonly kind: 'gguf' | 'hf';
  /** `Q4_K_M`, as the name has it. */
  readonly quant?: string;
  /** Of all its files, which for a folder include the tokenizer's. */
  readonly bytes: number;
  /** When the last of its files was written; milliseconds since 1970. */
  readonly modifiedMs: number;
  /** False while splits or shards are missing. */
  readonly complete: boolean;
  /** Its files, relative to the folder that was looked at. */
  readonly files: readonly string[];
}

export interface FolderFile extends ListedFile {
  readonly modifiedMs: number;
}

/**
 * The models among the files of one folder (those below it left out): a checkpoint, and every GGUF model.
 * @param dir where the folder lies
 * @param nameOf what a person types for one of them
 */
export async function modelsAmong(
  dir: string,
  files: readonly FolderFile[],
  nameOf: (model: { kind: 'gguf' | 'hf'; path: string; quant?: string }, isOnlyOneOfItsQuant: boolean) => string,
): Promise<LocalModel[]> {
  const found: LocalModel[] = [];
  const ofFiles = (paths: readonly string[]) => {
    const own = files.filter(({ path }) => paths.includes(path));
    return {
      files: paths,
      bytes: own.reduce((sum, { size }) => sum + size, 0),
      modifiedMs: Math.max(0, ...own.map(({ modifiedMs }) => modifiedMs)),
    };
  };
  const ggufs = ggufModels(files);
  const checkpoint = await checkpointIn(dir, files);
  if (checkpoint !== undefined) {
    const { complete } = checkpoint;
    const paths = files.map(({ path }) => path).filter((path) => !path.endsWith('.gguf'));
    found.push({ name: nameOf({ kind: 'hf', path: dir }, true), path: dir, kind: 'hf', complete, ...ofFiles(paths) });
  }
  for (const { path, parts, quant } of ggufs) {
    const alike = ggufs.filter((other) => other.quant !== undefined && other.quant === quant);
    const count = Number(/-\d{5}-of-(\d{5})\.gguf$/i.exec(path)?.[1] ?? 1);
    found.push({
      name: nameOf({ kind: 'gguf', path, quant }, alike.length === 1),
      path: join(dir, path),
      kind: 'gguf',
      ...(quant !== undefined && { quant }),
      complete: parts.length === count,
      ...ofFiles(parts),
    });
  }
  return found;
}

/** Weights beside a configuration; a folder of one of the two is no model. */
async function checkpointIn(dir: string, files: readonly FolderFile[]): Promise<{ complete: boolean } | undefined> {
  const names = files.map(({ path }) => path).filter((path) => !path.includes('/'));
  if (!names.includes('config.json') && !names.includes('params.json')) return undefined;
  try {
    const weights = weightFiles(names, dir);
    if (weights === undefined) return undefined;
    const wanted = weights.index === undefined ? [] : await shardsOf(join(dir, weights.index));
    return { complete: wanted.every((name) => names.includes(name)) };
  } catch {
    // Shards are missing, or belong to several models.
    return { complete: false };
  }
}

/** @throws when the index cannot be read */
async function shardsOf(index: string): Promise<string[]> {
  const { weight_map: map } = JSON.parse(await readFile(index, 'utf8')) as { weight_map?: Record<string, string> };
  return [...new Set(Object.values(map ?? {}))];
}
