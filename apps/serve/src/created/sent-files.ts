// Files that clients sent as blobs, as the weights of a model: one GGUF file, the splits of one, or a checkpoint. What they are is seen
// from their names and headers, and told by the name of the file that is wrong.
import { join } from 'node:path';
import { type CreatedModels, isGguf, mostFiles, requirePlainNames } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { networkOf, openModel } from '@quern/models';
import { parseDigest } from '@quern/source';
import { ApiError } from '../api-error.ts';
import type { Base } from './create-model.ts';
import { asField, faultOf } from './field-fault.ts';

export interface SentBase extends Base {
  /** Removes what was put up for the look. */
  remove(): Promise<void>;
}

const wrong = (param: string, what: string): ApiError =>
  new ApiError(400, 'invalid_value', `${param}: ${what}.`, { param });

/** @throws ApiError 400 of the file */
export async function sentBase(given: Readonly<Record<string, string>>, created: CreatedModels): Promise<SentBase> {
  const names = Object.keys(given).sort();
  if (names.length > mostFiles) throw wrong('files', `there are ${names.length}; a model may have ${mostFiles}`);
  const files = names.map((name) => ({ name, digest: asField(`files.${name}`, () => parseDigest(given[name]!)) }));
  for (const { name, digest } of files) await created.fileOf(digest).catch(faultOf(`files.${name}`));
  const [only] = files;
  if (files.length === 1) {
    const path = await created.fileOf(only!.digest);
    if (/\.gguf$/i.test(only!.name) || (await isGguf(path)))
      return { weights: { digest: only!.digest }, path, remove: async () => {} };
  }
  for (const { name } of files) asField(`files.${name}`, () => requirePlainNames([{ name, digest: '' }]));
  asField('files', () => requirePlainNames(files));
  const ggufs = names.filter((name) => /\.gguf$/i.test(name));
  if (ggufs.length === 0) requireCheckpoint(names);
  else requireGgufAlone(names, ggufs);
  const { dir, path, remove } = await created.triedFolder(files);
  try {
    if (ggufs.length > 0) await requireOneModel(dir, ggufs);
    else await (await opened(dir, dir, 'files')).close();
  } catch (error) {
    await remove();
    throw error;
  }
  return { weights: { files }, path, remove };
}

/** Its parts are looked for by the reader; this is what Ollama's clients send as files, and is something else. */
function requireCheckpoint(names: readonly string[]): void {
  const adapter = names.find((name) => /(^|\/)adapter_config\.json$/.test(name));
  if (adapter === undefined) return;
  throw wrong(
    `files.${adapter}`,
    'it is a LoRA adapter, not a model; quern convert-lora makes a GGUF file of it, which is sent in adapters',
  );
}

function requireGgufAlone(names: readonly string[], ggufs: readonly string[]): void {
  const other = names.find((name) => !ggufs.includes(name));
  if (other !== undefined)
    throw wrong(`files.${other}`, 'a GGUF file says all of its model itself; leave the others out');
}

const splitForm = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/** One file, or all splits of one; what stands beside models (projectors, adapters) is told by its name. */
async function requireOneModel(dir: string, names: readonly string[]): Promise<void> {
  const sets = new Map<string, string[]>();
  for (const name of names) {
    const [, prefix, , count] = splitForm.exec(name) ?? [];
    const key = prefix === undefined ? name : `${prefix}/${count}`;
    sets.set(key, [...(sets.get(key) ?? []), name]);
  }
  for (const [first, ...others] of sets.values()) {
    const count = Number(splitForm.exec(first!)?.[3] ?? 1);
    if (others.length + 1 !== count)
      throw wrong('files', `there are ${others.length + 1} of the ${count} splits that ${first} is one of; send all`);
    await (await opened(join(dir, first!), dir, `files.${first}`)).close();
  }
  const models = [...sets.values()].map(([first]) => first);
  if (models.length > 1)
    throw wrong('files', `there are ${models.length} models: ${models.slice(0, 5).join(', ')}; send one`);
}

/** What a client may do about a file that is no model. */
const besides: readonly (readonly [said: RegExp, remedy: string])[] = [
  [/projector/, 'Leave it out: images and sound are not served, and texts need the model alone.'],
  [/adapter/, 'Send it in adapters.'],
  [/importance/, 'Leave it out: it is for quern quantize.'],
];

/** Opened, and one that runs. @throws ApiError 400 of the field, without the place where it lies here */
async function opened(path: string, dir: string, field: string): ReturnType<typeof openModel> {
  try {
    const view = await openModel(path);
    try {
      networkOf(view);
      return view;
    } catch (error) {
      await view.close();
      throw error;
    }
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    const remedy =
      error.code === 'not-a-model' ? besides.find(([said]) => said.test(error.message))?.[1] : error.remedy;
    const without = (text: string | undefined) => text?.replaceAll(`${dir}/`, '').replaceAll(dir, 'the folder');
    return faultOf(field)(new QuernError(error.code, without(error.message)!, { remedy: without(remedy) }));
  }
}
