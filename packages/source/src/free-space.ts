// Whether a file system has room for a file that is to be written.
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface MissingSpace {
  /** Bytes that are still to be allocated. */
  readonly needed: number;
  /** Bytes that are free for us. */
  readonly free: number;
}

/**
 * What `size` bytes at `path` need beyond what is free, or undefined when they fit. Blocks that `partialPath` has already
 * are counted as there. Some systems (network mounts) do not say what is free: then writing itself will tell.
 */
export async function missingSpace(path: string, size: number, partialPath: string): Promise<MissingSpace | undefined> {
  const disk = await statfs(dirname(path)).catch(() => undefined);
  if (disk === undefined || disk.blocks === 0) return undefined;
  const partial = await stat(partialPath).catch(() => undefined);
  const free = disk.bavail * disk.bsize;
  const needed = size - (partial ? partial.blocks * 512 : 0);
  return needed > free ? { needed, free } : undefined;
}
