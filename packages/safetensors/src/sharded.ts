// A checkpoint folder: one model.safetensors, or shards named by model.safetensors.index.json
// {"metadata": {"total_size": …}, "weight_map": {"<tensor>": "model-00001-of-00002.safetensors"}}.
// The index and the shards must say the same: a tensor that only one of them knows is an error, not a guess.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { openFile } from '@quern/source';
import { JsonError, JsonReader } from './json-reader.ts';
import { openSafetensors, type Safetensors, type SafetensorsTensor } from './open.ts';

// Room for a million tensors; real indexes have some hundred KB.
const maxIndexBytes = 100_000_000;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/**
 * Opens all weights of a folder; reads headers only. One file wins over an index, as in transformers.
 * @param name of the file; that of the index is the same with `.index.json`
 * @throws QuernError `safetensors-no-weights`, `safetensors-bad-index`, `safetensors-bad-shard-name`,
 *   `safetensors-shard-missing`, `safetensors-tensor-not-in-shard`, `safetensors-tensor-not-in-index`,
 *   `safetensors-tensor-in-two-shards`, and those of `openSafetensors`.
 */
export async function openSharded(dir: string, name: string = 'model.safetensors'): Promise<Safetensors> {
  const single = join(dir, name);
  if (await exists(single)) return openPath(single);
  const indexPath = `${single}.index.json`;
  if (!(await exists(indexPath))) {
    throw new QuernError('safetensors-no-weights', `No ${name} and no ${name}.index.json.`, { file: dir });
  }
  const weightMap = await readIndex(indexPath);
  const shardNames = [...new Set(weightMap.values())].sort();

  const opened: Safetensors[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((file) => file.close()));
  };
  try {
    for (const shard of shardNames) {
      const path = join(dir, shard);
      if (!(await exists(path))) {
        throw new QuernError('safetensors-shard-missing', `The shard ${shard} is missing.`, {
          file: path,
          remedy: 'Fetch the missing file into the folder.',
        });
      }
      opened.push(await openPath(path));
    }
    const tensors = joinShards(indexPath, weightMap, shardNames, opened);
    const files = opened.flatMap((file) => file.files);
    return { metadata: opened[0]?.metadata ?? new Map(), tensors, files, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openPath(path: string): Promise<Safetensors> {
  const source = await openFile(path);
  try {
    return await openSafetensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function joinShards(
  index: string,
  weightMap: ReadonlyMap<string, string>,
  shardNames: readonly string[],
  opened: readonly Safetensors[],
): Map<string, SafetensorsTensor> {
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [i, shard] of shardNames.entries()) {
    for (const [name, tensor] of opened[i]!.tensors) {
      const place = { file: tensor.source.name, tensor: name, offset: tensor.begin };
      const other = tensors.get(name);
      if (other) {
        throw new QuernError('safetensors-tensor-in-two-shards', `The tensor is also in ${other.source.name}.`, place);
      }
      if (!weightMap.has(name)) {
        throw new QuernError('safetensors-tensor-not-in-index', 'The index does not list this tensor.', place);
      }
      if (weightMap.get(name) !== shard) {
        throw new QuernError(
          'safetensors-tensor-not-in-shard',
          `The index puts it into ${weightMap.get(name)}, but it is in ${shard}.`,
          place,
        );
      }
      tensors.set(name, tensor);
    }
  }
  for (const [name, shard] of weightMap) {
    if (!tensors.has(name)) {
      throw new QuernError('safetensors-tensor-not-in-shard', `The index puts it into ${shard}, which lacks it.`, {
        file: index,
        tensor: name,
      });
    }
  }
  return tensors;
}

/** tensor name → shard file name */
async function readIndex(path: string): Promise<Map<string, string>> {
  const bad = (why: string, offset?: number): never => {
    throw new QuernError('safetensors-bad-index', why, { file: path, offset });
  };
  const source = await openFile(path);
  let text = '';
  try {
    if (source.size > maxIndexBytes) bad(`An index of ${source.size} bytes is too large.`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size));
  } catch (cause) {
    if (cause instanceof QuernError) throw cause;
    bad('The index is not UTF-8 text.', 0);
  } finally {
    await source.close();
  }
  const weightMap = new Map<string, string>();
  const reader = new JsonReader(text);
  try {
    reader.object((key) => {
      if (key !== 'weight_map') return reader.skip();
      reader.object((tensor) => weightMap.set(tensor, checkShardName(reader.string(), tensor, path)));
    });
    reader.end();
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    bad(`Bad JSON: ${error.message}.`, new TextEncoder().encode(text.slice(0, error.at)).length);
  }
  if (weightMap.size === 0) bad('The index has no weight_map, or an empty one.');
  return weightMap;
}

/** A shard lies beside its index: anything that could leave the folder is refused. */
function checkShardName(shard: string, tensor: string, file: string): string {
  if (!/^[^/\\:\0]+$/.test(shard) || shard === '.' || shard === '..') {
    throw new QuernError('safetensors-bad-shard-name', `${JSON.stringify(shard)} is no plain file name.`, {
      file,
      tensor,
    });
  }
  return shard;
}
