// Names of output files when nobody gives one: the model's name, a dash, the file type.
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseModelReference } from '@quern/source';
import { fileTypes } from '../plan/file-types.ts';

/**
 * What a model is called: the real name of a folder (`.`, `..`, `link/`), the name of a file as it is typed (in the hub's
 * cache its real name is a hash) without `.gguf` and the number of a split, the last part of a hub id or address.
 * @throws QuernError those of `parseModelReference`
 */
export function modelName(ref: string): string {
  if (statSync(ref, { throwIfNoEntry: false })?.isDirectory()) return folderName(realpathSync(ref));
  return basename(placeOf(ref)).replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '') || 'model';
}

/** A name that is no path here is of the hub or of another server: the model lies there under the last part of it. */
function placeOf(ref: string): string {
  if (existsSync(ref)) return ref;
  const reference = parseModelReference(ref);
  if (reference.kind === 'path') return reference.path.replace(/[/\\]+$/, '');
  return basename(reference.kind === 'url' ? new URL(reference.url).pathname : (reference.path ?? reference.repo));
}

/** `models--org--Model/snapshots/<commit>` is the hub's cache: the model is called Model. */
function folderName(real: string): string {
  const name = basename(real);
  const repo = /^models--.*--(.+)$/.exec(basename(dirname(dirname(real))))?.[1];
  return (/^[0-9a-f]{40}$/.test(name) && repo) || name || 'model';
}

/** `model-BF16` without the type. */
function bareName(name: string): string {
  const suffix = fileTypes.find((type) => new RegExp(`[-.]${type.name}$`, 'i').test(name));
  return suffix ? name.slice(0, -suffix.name.length - 1) : name;
}

/**
 * `dir/model-BF16.gguf` quantized is `dir/model-Q4_K_M.gguf`; so are `model.f16.gguf`, `model.gguf` and split names. Of the
 * hub or another server it is in the current folder.
 */
export const quantizedName = (input: string, fileType: string): string =>
  join(dirname(placeOf(input)), `${bareName(modelName(input))}-${fileType}.gguf`);

/** A checkpoint folder or hub id, in the current folder: `org/Model` is `Model-BF16.gguf`. */
export const convertedName = (ref: string, fileType: string): string => `${modelName(ref)}-${fileType}.gguf`;

/** The towers of a checkpoint, in the folder of `output`: `mmproj-Model-BF16.gguf`. */
export const mmprojName = (ref: string, output: string, fileType: string): string =>
  join(dirname(output), `mmproj-${convertedName(ref, fileType)}`);

/** A checkpoint folder in the current folder: `dir/model-Q4_K_M.gguf` is `model-Q4_K_M-BF16`, `org/Model` `Model-BF16`. */
export const checkpointName = (ref: string, type: string): string => `${modelName(ref)}-${type}`;
