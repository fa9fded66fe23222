// The one way to open an adapter, whatever it is on disk.
import { stat } from 'node:fs/promises';
import { isGguf } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { openGgufAdapter } from './gguf-adapter.ts';
import type { LoraAdapter } from './lora.ts';
import { type AdapterBase, openPeftAdapter } from './peft-adapter.ts';

/**
 * Opens a GGUF file or a PEFT folder (or the weights in it) for `base`; headers alone are read.
 * @throws QuernError `adapter-not-found`, `not-an-adapter`, and those of `openGgufAdapter` and `openPeftAdapter`
 */
export async function openAdapter(path: string, base: AdapterBase): Promise<LoraAdapter> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new QuernError('adapter-not-found', 'There is no such file or folder.', { file: path });
  if (found.isDirectory()) return openPeftAdapter(path, base);
  if (await isGguf(path)) return openGgufAdapter(path, base);
  throw new QuernError('not-an-adapter', 'The file is not GGUF.', {
    file: path,
    remedy: 'Give a .gguf file of an adapter, or the folder that PEFT wrote (not one file of it).',
  });
}
