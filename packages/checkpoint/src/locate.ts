// From what a person types to a model on this disk: a .gguf file, a checkpoint folder, a folder of GGUF splits, or
// `owner/name[@revision]` on the Hugging Face hub, which is fetched into its cache first.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { fetchSnapshot, type SnapshotProgress, type SnapshotRequest } from '@quern/source';
import { isGguf } from './is-gguf.ts';
import { hasUsualWeights, weightFiles } from './weight-files.ts';

export interface LocateOptions extends Pick<SnapshotRequest, 'cacheDir' | 'endpoint' | 'offline' | 'token'> {
  /** Branch, tag or commit on the hub; `@revision` in the reference says the same. */
  revision?: string;
  onProgress?: (progress: SnapshotProgress) => void;
  signal?: AbortSignal;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
}

export interface Located {
  /** The GGUF file (the first of its splits) or the checkpoint folder. */
  path: string;
  kind: 'gguf' | 'hf';
}

/**
 * Finds or fetches a model. A path wins over a hub id of the same spelling.
 * @throws QuernError `checkpoint-not-found`, `checkpoint-not-recognized`, `checkpoint-no-weights`,
 *   `checkpoint-ambiguous`, `checkpoint-unsupported-weights`, and those of `fetchSnapshot`
 */
export async function locateCheckpoint(ref: string, options: LocateOptions = {}): Promise<Located> {
  const found = await stat(ref).catch(() => undefined);
  if (found?.isDirectory()) return locateInFolder(ref, await readdir(ref));
  if (found) {
    if (await isGguf(ref)) return { path: ref, kind: 'gguf' };
    throw new QuernError('checkpoint-not-recognized', 'The file is not GGUF.', {
      file: ref,
      remedy: 'Give a .gguf file, or the folder of a Hugging Face checkpoint (not one file of it).',
    });
  }
  const hub = /^([\w.-]+\/[\w.-]+)(?:@(.+))?$/.exec(ref);
  if (!hub || /^\.|\.(gguf|safetensors|bin|json)$/i.test(ref)) {
    throw new QuernError('checkpoint-not-found', 'There is no such file or folder.', { file: ref });
  }
  const [, repo = '', revision = options.revision] = hub;
  return fetchCheckpoint(repo, revision, options);
}

/** Files that say how text becomes tokens and how tokens are chosen: they stay when weights are written anew. */
export const carriedFiles: readonly string[] = [
  'generation_config.json',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'chat_template.json',
];

/** Fetched beside the weights. */
const sideFiles: ReadonlySet<string> = new Set([
  ...['config.json', 'hf_quant_config.json', 'quantize_config.json', 'quant_config.json'],
  ...carriedFiles,
]);

async function fetchCheckpoint(repo: string, revision: string | undefined, options: LocateOptions): Promise<Located> {
  const { onProgress, onUnfinished, signal, cacheDir, endpoint, offline, token } = options;
  let listed: readonly string[] = [];
  const { dir } = await fetchSnapshot({
    repo,
    revision,
    cacheDir,
    endpoint,
    offline,
    token,
    onProgress,
    onUnfinished,
    signal,
    files: (name, all) => {
      listed = all;
      return sideFiles.has(name) || weightFiles(all, repo)?.pattern.test(name) === true;
    },
  });
  // Offline nothing is listed; then the folder tells.
  const names = listed.length > 0 ? listed : await readdir(dir);
  const located = locateInFolder(dir, names, repo);
  if (located.kind === 'hf') return located;
  throw new QuernError('checkpoint-unsupported-weights', `${repo} holds GGUF files, not a checkpoint.`, {
    remedy: `Download the one you want (${names.filter((name) => name.endsWith('.gguf')).join(', ')}) and give its path.`,
  });
}

/** What a folder with files of these names is. `shown` names it in errors. */
function locateInFolder(dir: string, names: readonly string[], shown = dir): Located {
  const place = { file: shown };
  if (hasUsualWeights(names)) return { path: dir, kind: 'hf' };
  // Of splits the first stands for all.
  const ggufs = names.filter((name) => /\.gguf$/i.test(name) && !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(name));
  if (ggufs.length > 1) {
    throw new QuernError('checkpoint-ambiguous', `The folder has ${ggufs.length} GGUF models.`, {
      ...place,
      remedy: `Give one of them: ${ggufs.sort().join(', ')}.`,
    });
  }
  if (ggufs[0] !== undefined) return { path: join(dir, ggufs[0]), kind: 'gguf' };
  if (weightFiles(names, shown)) return { path: dir, kind: 'hf' };
  const other = names.find((name) => /\.(bin|pt|pth|h5|msgpack|onnx)$/.test(name) || name.startsWith('consolidated'));
  if (other !== undefined) {
    throw new QuernError(
      'checkpoint-unsupported-weights',
      `The weights are in ${other}; read are model.safetensors and pytorch_model.bin.`,
      {
        ...place,
        remedy: 'Look for a revision with safetensors, or save the model again with save_pretrained.',
      },
    );
  }
  throw new QuernError(
    'checkpoint-no-weights',
    'There are neither safetensors, nor pytorch_model.bin, nor GGUF files.',
    {
      ...place,
      remedy: 'Give the folder of a Hugging Face checkpoint, or a .gguf file.',
    },
  );
}
