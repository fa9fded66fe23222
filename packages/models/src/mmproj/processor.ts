// How images are prepared for a tower: the files of a checkpoint's preprocessor, and what published models say where there
// are none. Which files, and which wins: MmprojModel.__init__ of llama.cpp's conversion/base.py.
import { join } from 'node:path';
import type { HfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { parsePythonJson } from '@quern/source';
import { isObject, show } from '../arch/config-error.ts';
import type { Json } from '../arch/config-rule.ts';
import type { Encoder } from './encoder.ts';

const files = [
  { name: 'preprocessor_config.json', inner: 'media_proc_cfg' },
  { name: 'processor_config.json', inner: 'image_processor' },
] as const;

/**
 * @param note told when the numbers of published models are taken
 * @throws QuernError `processor-bad-config`
 */
export async function processorOf(
  checkpoint: Pick<HfCheckpoint, 'path' | 'readText'>,
  { pixels, family }: Encoder,
  note: (text: string) => void,
): Promise<Json> {
  const said: Record<string, unknown> = {};
  for (const { name, inner } of files) {
    const text = await checkpoint.readText(name);
    if (text === undefined) continue;
    const file = join(checkpoint.path, name);
    const config = parsed(text, file);
    Object.assign(said, config, isObject(config[inner]) ? config[inner] : {});
    for (const key of ['image_mean', 'image_std']) refuseOther(said, key, file);
  }
  if (!pixels) return said;
  const missing = ['image_mean', 'image_std'].filter((key) => !isGiven(said[key]));
  if (missing.length > 0)
    note(
      `neither ${files.map(({ name }) => name).join(' nor ')} says ${missing.join(' and ')}: those of published models are taken for the ${family}`,
    );
  return { ...said, image_mean: said.image_mean ?? pixels.mean, image_std: said.image_std ?? pixels.std };
}

const isGiven = (value: unknown) => value !== undefined && value !== null;

function parsed(text: string, file: string): Json {
  let value: unknown;
  try {
    value = parsePythonJson(text);
  } catch (cause) {
    throw new QuernError('processor-bad-config', 'The file is not JSON.', { file, cause });
  }
  if (isObject(value)) return value;
  throw new QuernError('processor-bad-config', 'The file is not a JSON object.', { file });
}

/** Three numbers, none of which is divided by as 0. */
function refuseOther(said: Json, key: string, file: string): void {
  const value: unknown = said[key];
  if (!isGiven(value)) return;
  const isNumber = (item: unknown) => Number.isFinite(item) && (key === 'image_mean' || (item as number) > 0);
  if (Array.isArray(value) && value.length === 3 && value.every(isNumber)) return;
  throw new QuernError('processor-bad-config', `"${key}" is ${show(value)}, three numbers are needed.`, { file });
}
