// A disk that fills up, on a small file system of our own. Needs the right to mount one.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fillDisk } from '../../../test/fill-disk.ts';
import { writeHfCheckpoint } from './index.ts';
import { folderOf, madeTensor, packedLayers } from './testing/made-tensors.ts';

const root = mkdtempSync(join(tmpdir(), 'quern-hf-disk-'));
const disk = join(root, 'disk');
mkdirSync(disk);
const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk]);
const noDisk = status === 0 ? undefined : String(error ?? stderr).trim();
if (noDisk) console.warn(`Skipping the full disk: ${noDisk}`);
afterAll(() => {
  if (!noDisk) execFileSync('umount', [disk]);
  rmSync(root, { recursive: true, force: true });
});

describe.skipIf(noDisk)('a disk of 6 MiB', () => {
  const out = join(disk, 'out');
  const filler = join(disk, 'filler');
  // 16 layers of 256 KiB.
  const tensors = packedLayers(16, 4096).map(madeTensor);

  test('that fills up while writing: named, no folder under the final name, resumed when there is space', async () => {
    let pieces = 0;
    const onProgress = () => {
      // After a few tensors somebody else takes all that is left.
      if (++pieces !== 40) return;
      fillDisk(disk, filler);
    };
    const options = { maxShardBytes: 1_000_000, commitBytes: 2 ** 18 };
    await expect(writeHfCheckpoint(out, folderOf(tensors), { ...options, onProgress })).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect(existsSync(out)).toBe(false);

    rmSync(filler);
    expect((await writeHfCheckpoint(out, folderOf(tensors), options)).resumedTensors).toBeGreaterThan(8);
    expect(readdirSync(disk)).toEqual(['out']);
    rmSync(out, { recursive: true });
  });

  test('that is too small: refused with the numbers before anything is written', async () => {
    writeFileSync(filler, Buffer.alloc(3 * 2 ** 20));
    await expect(writeHfCheckpoint(out, folderOf(tensors))).rejects.toMatchObject({
      code: 'refused-disk-space',
      message: expect.stringMatching(/^The output needs \d+ more bytes; the disk has \d+ free\.$/),
    });
    expect(readdirSync(disk)).toEqual(['filler']);
  });
});
