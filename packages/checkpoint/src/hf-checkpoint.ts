// A Hugging Face checkpoint folder: config.json, tokenizer files, and weights in safetensors or as torch.save writes them
// (one file or shards).
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { openSharded } from '@quern/safetensors';
import { openFile, type Source } from '@quern/source';
import { openTorchFolder, torchWeights } from '@quern/torch';
import { contiguousTensor } from './contiguous-tensor.ts';
import type { HfCheckpoint, TensorView } from './model-view.ts';

// config.json of real models is some KB; the largest tokenizer.json known is some 35 MB.
const maxConfigBytes = 16 * 2 ** 20;
const maxSideFileBytes = 512 * 2 ** 20;

/**
 * Opens a folder; reads config.json and the headers of the weights, nothing else.
 * @throws QuernError `checkpoint-no-config`, `checkpoint-bad-config`, `checkpoint-bad-name`,
 *   `checkpoint-file-too-large`, and those of `openSharded` and `openTorchFolder`
 */
export async function openHfCheckpoint(dir: string): Promise<HfCheckpoint> {
  const config = await readConfig(dir);
  const weights = await openWeights(dir);
  const tensors = new Map<string, TensorView>();
  for (const [name, { dtype, shape, source, begin }] of weights.tensors) {
    tensors.set(name, contiguousTensor({ name, dtype, shape, source, begin }));
  }
  return {
    path: dir,
    config,
    tensors,
    readBytes: (name) => readSideFile(dir, name, maxSideFileBytes),
    readText: async (name) => {
      const bytes = await readSideFile(dir, name, maxSideFileBytes);
      return bytes && decodeUtf8(bytes, join(dir, name));
    },
    close: () => weights.close(),
  };
}

/** What both containers say of a tensor. */
interface Weights {
  readonly tensors: ReadonlyMap<
    string,
    { readonly name: string; readonly dtype: DType; readonly shape: readonly number[]; source: Source; begin: number }
  >;
  close(): Promise<void>;
}

/** Safetensors win where a folder has both, as in transformers. */
async function openWeights(dir: string): Promise<Weights> {
  for (const name of ['model.safetensors', 'model.safetensors.index.json']) {
    if (await exists(join(dir, name))) return openSharded(dir);
  }
  for (const name of torchWeights) if (await exists(join(dir, name))) return openTorchFolder(dir);
  return openSharded(dir);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function readConfig(dir: string): Promise<Record<string, unknown>> {
  const file = join(dir, 'config.json');
  const bytes = await readSideFile(dir, 'config.json', maxConfigBytes);
  if (!bytes) {
    throw new QuernError('checkpoint-no-config', 'The folder has no config.json.', {
      file: dir,
      remedy: 'Give the folder of a Hugging Face checkpoint, or a .gguf file.',
    });
  }
  let config: unknown;
  try {
    config = JSON.parse(decodeUtf8(bytes, file));
  } catch (cause) {
    if (cause instanceof QuernError) throw cause;
    throw new QuernError('checkpoint-bad-config', `config.json is not JSON: ${(cause as Error).message}.`, {
      file,
      cause,
      remedy: 'Fetch the file again: it may be a web page or a Git LFS pointer.',
    });
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new QuernError('checkpoint-bad-config', 'config.json is not a JSON object.', { file });
  }
  return config as Record<string, unknown>;
}

/** A file directly in the folder, or undefined when there is none. */
async function readSideFile(dir: string, name: string, maxBytes: number): Promise<Uint8Array | undefined> {
  if (!/^[^/\\:\0]+$/.test(name) || name === '.' || name === '..') {
    throw new QuernError('checkpoint-bad-name', `${JSON.stringify(name)} is no plain file name.`, { file: dir });
  }
  const path = join(dir, name);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  const source = await openFile(path);
  try {
    if (source.size > maxBytes) {
      throw new QuernError('checkpoint-file-too-large', `${name} has ${source.size} bytes.`, {
        file: path,
        remedy: `At most ${maxBytes} are read.`,
      });
    }
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new QuernError('checkpoint-not-utf8', 'The file is not UTF-8 text.', { file, cause });
  }
}
