// A checkpoint folder with weights of torch.save: one pytorch_model.bin, or shards named by pytorch_model.bin.index.json
// {"metadata": {…}, "weight_map": {"<tensor>": "pytorch_model-00001-of-00002.bin"}}. The index and the shards must say
// the same.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { openFile } from '@quern/source';
import { openTorch, type TorchFile } from './open.ts';
import type { TorchTensor } from './tensors/state-dict.ts';

const single = 'pytorch_model.bin';
const index = 'pytorch_model.bin.index.json';
// Room for a million tensors; real indexes have some hundred KB.
const maxIndexBytes = 100_000_000;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** A folder with a file of one of these names has weights of torch.save. */
export const torchWeights: readonly string[] = [single, index];

/** Names of the files that such a checkpoint consists of, for fetching them. */
export const torchWeightsPattern: RegExp = /^pytorch_model(-\d+-of-\d+)?\.bin$|^pytorch_model\.bin\.index\.json$/;

/**
 * Opens all weights of a folder; reads pickles only. `pytorch_model.bin` wins over an index, as in transformers.
 * @throws QuernError `torch-no-weights`, `torch-bad-index`, `torch-bad-shard-name`, `torch-shard-missing`,
 *   `torch-tensor-not-in-shard`, `torch-tensor-not-in-index`, `torch-tensor-in-two-shards`, and those of `openTorch`
 */
export async function openTorchFolder(dir: string): Promise<TorchFile> {
  if (await exists(join(dir, single))) return openPath(join(dir, single));
  const indexPath = join(dir, index);
  if (!(await exists(indexPath)))
    throw new QuernError('torch-no-weights', `No ${single} and no ${index}.`, { file: dir });
  const weightMap = await readIndex(indexPath);
  const shards = [...new Set(weightMap.values())].sort();
  const opened: TorchFile[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((file) => file.close()));
  };
  try {
    const tensors = new Map<string, TorchTensor>();
    for (const shard of shards) {
      const path = join(dir, shard);
      if (!(await exists(path)))
        throw new QuernError('torch-shard-missing', `The shard ${shard} is missing.`, {
          file: path,
          remedy: 'Fetch the missing file into the folder.',
        });
      const file = await openPath(path);
      opened.push(file);
      addShard(tensors, file, shard, weightMap);
    }
    for (const [name, shard] of weightMap) {
      if (!tensors.has(name))
        throw new QuernError('torch-tensor-not-in-shard', `The index puts it into ${shard}, which lacks it.`, {
          file: indexPath,
          tensor: name,
        });
    }
    return {
      tensors,
      others: opened.flatMap(({ others }) => others),
      files: opened.flatMap(({ files }) => files),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPath(path: string): Promise<TorchFile> {
  const source = await openFile(path);
  try {
    return await openTorch(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function addShard(
  tensors: Map<string, TorchTensor>,
  file: TorchFile,
  shard: string,
  weightMap: ReadonlyMap<string, string>,
): void {
  for (const [name, tensor] of file.tensors) {
    const place = { file: file.files[0], tensor: name };
    const other = tensors.get(name);
    if (other) throw new QuernError('torch-tensor-in-two-shards', `The tensor is also in ${other.source.name}.`, place);
    const listed = weightMap.get(name);
    if (listed === undefined)
      throw new QuernError('torch-tensor-not-in-index', 'The index does not list this tensor.', place);
    if (listed !== shard) throw new QuernError('torch-tensor-not-in-shard', `The index puts it into ${listed}.`, place);
    tensors.set(name, tensor);
  }
}

/** tensor name → shard file name */
async function readIndex(path: string): Promise<Map<string, string>> {
  const bad = (why: string, cause?: unknown): QuernError =>
    new QuernError('torch-bad-index', why, { file: path, cause });
  const source = await openFile(path);
  let parsed: unknown;
  try {
    if (source.size > maxIndexBytes) throw bad(`An index of ${source.size} bytes is too large.`);
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size)));
  } catch (cause) {
    if (cause instanceof QuernError) throw cause;
    throw bad(`The index is not JSON: ${(cause as Error).message}.`, cause);
  } finally {
    await source.close();
  }
  const map = (parsed as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map) || Object.keys(map).length === 0)
    throw bad('The index has no weight_map, or an empty one.');
  return new Map(Object.entries(map).map(([tensor, shard]) => [tensor, checkShardName(shard, tensor, path)]));
}

/** A shard lies beside its index: anything that could leave the folder is refused. */
function checkShardName(shard: unknown, tensor: string, file: string): string {
  if (typeof shard === 'string' && /^[^/\\:\0]+$/.test(shard) && shard !== '.' && shard !== '..') return shard;
  throw new QuernError('torch-bad-shard-name', `${JSON.stringify(shard)} is no plain file name.`, { file, tensor });
}
