// What is left of a small disk, taken by somebody else.
import { statfsSync, writeFileSync } from 'node:fs';

/** Fills the file system of `disk` with the file `filler`. A writer at work may take some of the room in the meantime. */
export function fillDisk(disk: string, filler: string): void {
  const { bavail, bsize } = statfsSync(disk);
  try {
    writeFileSync(filler, new Uint8Array(bavail * bsize));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
