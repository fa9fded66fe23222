// `model.safetensors.index.json`: {"metadata": {…}, "weight_map": {"<tensor>": "model-00001-of-00002.safetensors"}}. A file
// may be called anything: the weights of a head for speculation are often in `mtp.safetensors`.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import { JsonError, JsonReader } from './json-reader.ts';

// Room for a million tensors; real indexes have some hundred KB.
const maxIndexBytes = 100_000_000;

/**
 * tensor name → shard file name
 * @throws QuernError `safetensors-bad-index`, `safetensors-bad-shard-name`
 */
export async function readIndex(source: Source): Promise<Map<string, string>> {
  const path = source.name;
  const bad = (why: string, offset?: number): never => {
    throw new QuernError('safetensors-bad-index', why, { file: path, offset });
  };
  let text = '';
  try {
    if (source.size > maxIndexBytes) bad(`An index of ${source.size} bytes is too large.`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size));
  } catch (cause) {
    if (cause instanceof QuernError) throw cause;
    bad('The index is not UTF-8 text.', 0);
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

/** The files that an index names, in order of their names. @throws QuernError those of `readIndex` */
export async function indexedFiles(source: Source): Promise<readonly string[]> {
  return [...new Set((await readIndex(source)).values())].sort();
}
