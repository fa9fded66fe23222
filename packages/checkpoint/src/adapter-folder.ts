// The folder that PEFT leaves: adapter_config.json and the adapter's matrices, in safetensors or as torch.save writes them.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { openParts } from '@quern/safetensors';
import { openTorchParts } from '@quern/torch';
import { contiguousTensor } from './contiguous-tensor.ts';
import { readSettings, sideFiles } from './hf-checkpoint.ts';
import type { HfCheckpoint, TensorView } from './model-view.ts';

/** An adapter as it is: PEFT's own names and settings. */
export interface AdapterFolder extends Pick<HfCheckpoint, 'readText' | 'close'> {
  readonly path: string;
  /** adapter_config.json */
  readonly config: Readonly<Record<string, unknown>>;
  /** For messages. */
  readonly configFile: string;
  readonly tensors: ReadonlyMap<string, TensorView>;
}

const configName = 'adapter_config.json';
const weightNames = ['adapter_model.safetensors', 'adapter_model.bin'] as const;

/**
 * Opens the folder; reads adapter_config.json and the headers of the weights, nothing else.
 * @throws QuernError `adapter-not-found`, `adapter-no-config`, `adapter-no-weights`, `checkpoint-bad-config`, and those of
 *   `openParts` and `openTorchParts`
 */
export async function openAdapterFolder(dir: string): Promise<AdapterFolder> {
  if (!(await stat(dir).catch(() => undefined))?.isDirectory())
    throw new QuernError('adapter-not-found', 'There is no such folder of an adapter.', { file: dir });
  const config = await readSettings(dir, configName);
  if (!config)
    throw new QuernError('adapter-no-config', `The folder has no ${configName}: it holds no adapter of PEFT.`, {
      file: dir,
      remedy: 'Give the folder that save_pretrained() of PEFT wrote, or a .gguf file of an adapter.',
    });
  const names = await readdir(dir);
  const weights = weightNames.find((name) => names.includes(name));
  if (weights === undefined)
    throw new QuernError('adapter-no-weights', `The folder has neither ${weightNames.join(' nor ')}.`, {
      file: dir,
      remedy: 'Fetch the whole folder again.',
    });
  const parts = await (weights.endsWith('.bin') ? openTorchParts : openParts)(dir, [weights]);
  const tensors = new Map<string, TensorView>();
  for (const [name, { dtype, shape, source, begin }] of parts.tensors)
    tensors.set(name, contiguousTensor({ name, dtype, shape, source, begin }));
  const { readText } = sideFiles(dir);
  return { path: dir, config, configFile: join(dir, configName), tensors, readText, close: () => parts.close() };
}
