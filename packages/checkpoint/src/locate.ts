// From what a person types to a model on this disk: a .gguf file, a checkpoint folder, a folder of GGUF files, or a
// reference to the Hugging Face hub or another server, from which it is fetched into the hub's cache first.
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuernError } from '@quern/errors';
import {
  downloadUrl,
  type FetchWatch,
  type HubReference,
  type ListedFile,
  openFile,
  type Repository,
} from '@quern/source';
import { refuseAdapter } from './adapter-only.ts';
import { chooseGguf } from './choose-gguf.ts';
import { refusePieces } from './file-pieces.ts';
import { checkpointFiles } from './hub-checkpoint.ts';
import { selectOnHub } from './hub-selection.ts';
import { isGguf } from './is-gguf.ts';
import { findPlace, type PlaceOptions } from './model-place.ts';
import { isCheckpoint } from './weight-files.ts';

export interface LocateOptions extends PlaceOptions, FetchWatch {
  /** Told which file was taken where there was a choice. */
  onNote?: (note: string) => void;
  /** Asked before anything is fetched, and of what is here already: may throw. */
  accept?: (kind: Located['kind'], path: string) => void;
}

export interface Located {
  /** The GGUF file (the first of its splits) or the checkpoint folder. */
  path: string;
  kind: 'gguf' | 'hf';
  /** What it is called where it comes from; output files are named after it. Undefined when it was here already. */
  fetched?: string;
  /** Where the files lie that were fetched, or were in the cache. */
  files?: readonly string[];
}

/**
 * Finds or fetches a model. A path wins over a hub id of the same spelling.
 * @throws QuernError `checkpoint-not-recognized`, `checkpoint-no-weights`, `checkpoint-ambiguous`,
 *   `checkpoint-no-such-quant`, `checkpoint-unsupported-weights`, `checkpoint-shard-missing`, `checkpoint-adapter-only`, and those of `findPlace`, `Repository.fetch` and
 *   `downloadUrl`
 */
export async function locateCheckpoint(ref: string, options: LocateOptions = {}): Promise<Located> {
  const place = await findPlace(ref, options);
  if (place.kind === 'hub') return fetchFromHub(place.repository, place.reference, options);
  if (place.kind === 'url') return fetchUrl(place.url, options);
  const located = place.kind === 'folder' ? await locateInFolder(place.path, options) : await locateFile(place.path);
  options.accept?.(located.kind, located.path);
  return located;
}

async function locateFile(path: string): Promise<Located> {
  refusePieces(await readdir(dirname(path)).catch(() => []), path, basename(path));
  if (await isGguf(path)) return { path, kind: 'gguf' };
  throw new QuernError('checkpoint-not-recognized', 'The file is not GGUF.', {
    file: path,
    remedy: 'Give a .gguf file, or the folder of a Hugging Face checkpoint (not one file of it).',
  });
}

async function fetchUrl(url: string, options: LocateOptions): Promise<Located> {
  const { cacheDir, offline, onProgress, onUnfinished, signal, accept } = options;
  const judge = (magic: Uint8Array): void => {
    if (new TextDecoder().decode(magic) !== 'GGUF') {
      throw new QuernError('checkpoint-not-recognized', 'What the address gives is not GGUF.', {
        file: url,
        remedy: 'Give the address of a .gguf file; a checkpoint has many files, and is fetched by its hub id.',
      });
    }
    accept?.('gguf', url);
  };
  const fetchPart = (part: string) =>
    downloadUrl({ url: part, cacheDir, offline, judge, onProgress, onUnfinished, signal });
  const [first, ...others] = splitUrls(url);
  const path = await fetchPart(first!);
  const files = [path];
  for (const other of others) files.push(await fetchPart(other));
  return { path, kind: 'gguf', fetched: basename(path), files };
}

/** The addresses of all splits, of which the given one is any; those of a whole file are its own. */
function splitUrls(url: string): string[] {
  const [, before, total, after] = /^([^?#]*-)\d{5}-of-(\d{5})(\.gguf(?:[?#].*)?)$/i.exec(url) ?? [];
  if (before === undefined || Number(total) > maxSplits) return [url];
  const numbers = Array.from({ length: Number(total) }, (_, i) => String(i + 1).padStart(5, '0'));
  return numbers.map((number) => `${before}${number}-of-${total}${after}`);
}

// Real models have some dozens; more are asked for only by a name that is none.
const maxSplits = 1000;

async function fetchFromHub(
  repository: Repository,
  reference: HubReference,
  { accept, onNote, onProgress, onUnfinished }: LocateOptions,
): Promise<Located> {
  const { repo, files } = repository;
  const fetch = (paths: readonly string[]) => repository.fetch(paths, { onProgress, onUnfinished });
  const selection = selectOnHub(repository, reference);
  if (selection === undefined) {
    const names = files.map(({ path }) => path);
    await refuseAdapter(names, repo, repository.open);
    refusePieces(names, repo);
    throw noWeights(names, repo);
  }
  if (selection.kind === 'file') {
    throw new QuernError('checkpoint-not-recognized', 'The file is not GGUF.', {
      file: `${repo}/${selection.path}`,
      remedy: `Give the whole checkpoint, ${repo}.`,
    });
  }
  if (selection.kind === 'gguf') {
    const { model, note } = selection;
    accept?.('gguf', `${repo}/${model.path}`);
    if (note !== undefined) onNote?.(note);
    const dir = await fetch(model.parts);
    const files = model.parts.map((part) => join(dir, part));
    return { path: join(dir, model.path), kind: 'gguf', fetched: basename(model.path), files };
  }
  accept?.('hf', repo);
  const { folder, names } = selection;
  const wanted = await checkpointFiles(repository, folder, names);
  const dir = await fetch(wanted);
  const paths = wanted.map((path) => join(dir, path));
  return { path: join(dir, folder), kind: 'hf', fetched: basename(folder || repo), files: paths };
}

async function locateInFolder(dir: string, { onNote }: LocateOptions): Promise<Located> {
  const names = await readdir(dir);
  if (isCheckpoint(names, dir)) return { path: dir, kind: 'hf' };
  const files = await Promise.all(names.filter((name) => /\.gguf$/i.test(name)).map((name) => listed(dir, name)));
  const chosen = chooseGguf(files, { place: dir, spelling: ({ path }) => join(dir, path) });
  if (!chosen) {
    await refuseAdapter(names, dir, (name) => openFile(join(dir, name)));
    refusePieces(names, dir);
    throw noWeights(names, dir);
  }
  if (chosen.note !== undefined) onNote?.(chosen.note);
  return { path: join(dir, chosen.model.path), kind: 'gguf' };
}

const listed = async (dir: string, path: string): Promise<ListedFile> => ({
  path,
  size: (await stat(join(dir, path)).catch(() => undefined))?.size ?? 0,
});

function noWeights(names: readonly string[], place: string): QuernError {
  const other = names.find((name) => /\.(bin|pt|pth|h5|msgpack|onnx)$/.test(name) || name.startsWith('consolidated'));
  if (other !== undefined) {
    return new QuernError(
      'checkpoint-unsupported-weights',
      `The weights are in ${other}; read are model.safetensors, pytorch_model.bin and Mistral's consolidated.safetensors.`,
      { file: place, remedy: 'Look for a revision with safetensors, or save the model again with save_pretrained.' },
    );
  }
  return new QuernError(
    'checkpoint-no-weights',
    'There are neither safetensors, nor pytorch_model.bin, nor GGUF files.',
    { file: place, remedy: 'Give the folder of a Hugging Face checkpoint, or a .gguf file.' },
  );
}
