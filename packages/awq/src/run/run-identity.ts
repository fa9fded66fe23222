// What decides the numbers of a run, besides the program: shown and compared when a stopped run goes on.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { ModelView } from '@quern/checkpoint';

/** Names, types and places of the tensors; size and time of the files. */
export async function modelIdentity(view: ModelView): Promise<string> {
  const hash = createHash('sha256');
  const files = new Set<string>();
  for (const { name, dtype, shape, file, offset } of view.tensors.values()) {
    hash.update(JSON.stringify([name, dtype.name, shape, offset]));
    files.add(file);
  }
  for (const file of [...files].sort()) {
    const its = await stat(file).catch(() => undefined);
    hash.update(JSON.stringify([its?.size, its?.mtimeMs]));
  }
  return hash.digest('hex').slice(0, 16);
}

export function tokensIdentity(sequences: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const ids of sequences) hash.update(`${ids.length} `).update(ids);
  return hash.digest('hex').slice(0, 16);
}
