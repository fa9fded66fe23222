// The one way to open a model, whatever it is on disk.

import { stat } from 'node:fs/promises';
import { isGguf, type ModelView, openGgufModel, openHfCheckpoint } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type HfModelView, hfModelView, type LensOptions } from './lens/hf-model-view.ts';
import { architectureOf } from './network-of.ts';
import { type LoadOverride, withOverride } from './override/load-override.ts';

export interface OpenOptions extends LensOptions {
  readonly override?: LoadOverride;
}

/**
 * Opens a GGUF file or a Hugging Face folder. The architecture is recognised in both cases; a GGUF file is known by its
 * first bytes, not by its name.
 * @param options for the lens, which a GGUF file ignores, and metadata that are set in either
 * @throws QuernError `model-not-found`, `model-not-recognized`, `unknown-architecture`, and those of `openGgufModel`,
 *   `openHfCheckpoint`, `hfModelView`
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<ModelView & Partial<HfModelView>> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new QuernError('model-not-found', 'There is no such file or folder.', { file: path });
  const view = await (found.isDirectory() ? openFolder(path, options) : openGgufFile(path));
  if (!options.override) return view;
  try {
    return withOverride(view, options.override);
  } catch (error) {
    await view.close();
    throw error;
  }
}

async function openFolder(path: string, options: LensOptions): Promise<HfModelView> {
  const checkpoint = await openHfCheckpoint(path);
  try {
    return await hfModelView(checkpoint, options);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function openGgufFile(path: string): Promise<ModelView> {
  if (!(await isGguf(path))) {
    throw new QuernError('model-not-recognized', 'The file is not GGUF.', {
      file: path,
      offset: 0,
      remedy: 'Give a .gguf file, or the folder of a Hugging Face checkpoint (not one file of it).',
    });
  }
  const view = await openGgufModel(path);
  try {
    architectureOf(view);
    return view;
  } catch (error) {
    await view.close();
    throw error;
  }
}
