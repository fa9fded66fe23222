// Whether the disk of the cache has room for what is to be fetched: said before the first byte, not after an hour.
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';

export interface FileToFetch {
  readonly blobPath: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * What is in the cache already, whole or begun, needs no room again. A system that does not say what is free (network mounts)
 * passes: then writing itself will tell.
 * @param what is fetched, for the message
 * @throws QuernError `refused-disk-space` with the numbers
 */
export async function requireRoom(cacheDir: string, files: readonly FileToFetch[], what: string): Promise<void> {
  const missing = new Map<string, number>();
  for (const { blobPath, size } of files) {
    const have = (await sizeOf(blobPath)) ?? (await sizeOf(`${blobPath}.incomplete`)) ?? 0;
    // Two files of the same content share a blob.
    missing.set(blobPath, Math.max(0, size - have));
  }
  const needed = [...missing.values()].reduce((sum, size) => sum + size, 0);
  const disk = await statfs(await folderThere(cacheDir)).catch(() => undefined);
  if (disk === undefined || disk.blocks === 0) return;
  const free = disk.bavail * disk.bsize;
  if (needed <= free) return;
  throw new QuernError(
    'refused-disk-space',
    `${what}: ${needed} more bytes are to be fetched; the disk has ${free} free.`,
    {
      file: cacheDir,
      remedy:
        'Free some space (quern list shows what is here, quern rm deletes), or set HF_HUB_CACHE to a larger disk.',
    },
  );
}

/** The folder, or what of its path is there. */
async function folderThere(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    if ((await sizeOf(at)) !== undefined || dirname(at) === at) return at;
  }
}

const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ size }) => size,
    () => undefined,
  );
