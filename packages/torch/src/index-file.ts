// `pytorch_model.bin.index.json`: {"metadata": {…}, "weight_map": {"<tensor>": "pytorch_model-00001-of-00002.bin"}}.
import { QuernError } from '@quern/errors';
import { parsePythonJson, type Source } from '@quern/source';

// Room for a million tensors; real indexes have some hundred KB.
const maxIndexBytes = 100_000_000;

/** tensor name → shard file name @throws QuernError `torch-bad-index`, `torch-bad-shard-name` */
export async function readTorchIndex(source: Source): Promise<Map<string, string>> {
  const path = source.name;
  const bad = (why: string, cause?: unknown): QuernError =>
    new QuernError('torch-bad-index', why, { file: path, cause });
  let parsed: unknown;
  try {
    if (source.size > maxIndexBytes) throw bad(`An index of ${source.size} bytes is too large.`);
    parsed = parsePythonJson(new TextDecoder('utf-8', { fatal: true }).decode(await source.read(0, source.size)));
  } catch (cause) {
    if (cause instanceof QuernError) throw cause;
    throw bad(`The index is not JSON: ${(cause as Error).message}.`, cause);
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

/** The files that an index names, in order of their names. @throws QuernError those of `readTorchIndex` */
export async function torchIndexedFiles(source: Source): Promise<readonly string[]> {
  return [...new Set((await readTorchIndex(source)).values())].sort();
}
