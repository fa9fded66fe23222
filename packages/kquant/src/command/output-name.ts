// Names of output files when nobody gives one: the model's name, a dash, the file type.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseModelReference } from '@quern/source';
import { fileTypes } from '../plan/file-types.ts';

/** A name that is no path here is of the hub or of another server: its file is called after the last part. */
const placeOf = (input: string): string => {
  const reference = parseModelReference(input);
  if (reference.kind === 'path' || existsSync(input)) return input;
  return basename(reference.kind === 'url' ? new URL(reference.url).pathname : (reference.path ?? reference.repo));
};

/** `dir/model-BF16.gguf` quantized is `dir/model-Q4_K_M.gguf`; so are `model.f16.gguf`, `model.gguf` and split names. */
export function quantizedName(input: string, fileType: string): string {
  const place = placeOf(input);
  const stem = basename(place)
    .replace(/\.gguf$/i, '')
    .replace(/-\d{5}-of-\d{5}$/, '');
  const suffix = fileTypes.find(({ name }) => new RegExp(`[-.]${name}$`, 'i').test(stem));
  const bare = suffix ? stem.slice(0, -suffix.name.length - 1) : stem;
  return join(dirname(place), `${bare}-${fileType}.gguf`);
}

/** A checkpoint folder or hub id, in the current folder: `org/Model` is `Model-BF16.gguf`. */
export const convertedName = (ref: string, fileType: string): string =>
  `${basename(ref.replace(/[/\\]+$/, '')) || 'model'}-${fileType}.gguf`;

/** A checkpoint folder in the current folder: `dir/model-Q4_K_M.gguf` is `model-Q4_K_M-BF16`, `org/Model` `Model-BF16`. */
export const checkpointName = (ref: string, type: string): string =>
  convertedName(ref.replace(/(-\d{5}-of-\d{5})?\.gguf$/i, ''), type).replace(/\.gguf$/, '');
