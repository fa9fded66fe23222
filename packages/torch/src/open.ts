// Opening one file of torch.save, in either of its formats. Reads the pickle and the places of the storages, no weights.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { isLegacy, readLegacyFile } from './legacy-file.ts';
import type { StateDict } from './tensors/state-dict.ts';
import { isZip } from './zip/directory.ts';
import { readZipFile } from './zip-file.ts';

export interface TorchFile extends StateDict {
  /** The files behind it, by name. */
  readonly files: readonly string[];
  /** Closes the source(s). */
  close(): Promise<void>;
}

/**
 * Reads and proves one file. On an error the source stays open: it is the caller's.
 * @throws QuernError `torch-*`, `zip-*`, see docs/formats/torch.md
 */
export async function openTorch(source: Source): Promise<TorchFile> {
  const read = (await isZip(source)) ? readZipFile : (await isLegacy(source)) ? readLegacyFile : undefined;
  if (!read)
    throw new QuernError('torch-not-recognized', 'torch.save did not write this file.', {
      file: source.name,
      offset: 0,
      remedy: 'It may be a web page, or a tar archive of torch before 0.1.10.',
    });
  const { tensors, others } = await read(source);
  return { tensors, others, files: [source.name], close: () => source.close() };
}
