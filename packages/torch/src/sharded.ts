// A checkpoint folder with weights of torch.save: one pytorch_model.bin, or shards that pytorch_model.bin.index.json names,
// or shards without one.
import { join } from 'node:path';
import { joinShards, openByIndex, openFile, openShards } from '@quern/source';
import { readTorchIndex } from './index-file.ts';
import { openTorch, type TorchFile } from './open.ts';

const errors = 'torch';

/**
 * Opens the weights that an index of a folder names; reads pickles only.
 * @throws QuernError `torch-bad-index`, `torch-bad-shard-name`, `torch-tensor-not-in-shard`, `torch-tensor-not-in-index`,
 *   and those of `openTorchParts`
 */
export async function openTorchIndex(dir: string, index: string): Promise<TorchFile> {
  const source = await openFile(join(dir, index));
  const weightMap = await readTorchIndex(source).finally(() => source.close());
  return openByIndex(dir, index, weightMap, errors, (names) => openTorchParts(dir, names));
}

/**
 * Opens files of a folder that together are one model.
 * @throws QuernError `torch-shard-missing`, `torch-tensor-in-two-shards`, and those of `openTorch`
 */
export async function openTorchParts(dir: string, names: readonly string[]): Promise<TorchFile> {
  const { files: opened, close } = await openShards(dir, names, { errors, open: openTorch });
  try {
    return {
      tensors: joinShards(opened, errors),
      others: opened.flatMap(({ others }) => others),
      files: opened.flatMap(({ files }) => files),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
