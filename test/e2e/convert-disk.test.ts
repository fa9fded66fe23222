// A disk that fills up and a file size limit, on a small file system of our own. Needs the right to mount one.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { planTypes, type WriteOptions, writeModel } from '@quern/kquant';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillDisk } from '../fill-disk.ts';

const tinyGguf = join(import.meta.dirname, '../models/tiny-llama/expected/llama.cpp-bf16.gguf');
const folder = mkdtempSync(join(tmpdir(), 'quern-disk-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Reason why no file system can be mounted here, or undefined; then it is mounted. */
function mount(path: string, size: string): string | undefined {
  mkdirSync(path);
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  return status === 0 ? undefined : String(error ?? stderr).trim();
}

const disk = join(folder, 'disk');
const noDisk = mount(disk, '6m');
if (noDisk) console.warn(`Skipping the full disk: ${noDisk}`);
afterAll(() => {
  if (!noDisk) execFileSync('umount', [disk]);
});

async function quantize(output: string, options: WriteOptions): Promise<number> {
  const model = await openGgufModel(tinyGguf);
  try {
    return (await writeModel(model, planTypes(model, 'Q8_0'), output, { threads: 1, ...options })).resumedTensors;
  } finally {
    await model.close();
  }
}

describe.skipIf(noDisk)('a disk of 6 MiB', () => {
  let clean: Buffer;
  beforeAll(async () => {
    await quantize(join(folder, 'clean.gguf'), {});
    clean = readFileSync(join(folder, 'clean.gguf'));
  });

  test('that fills up while writing: named, nothing under the final name, resumed when there is space', async () => {
    const output = join(disk, 'out.gguf');
    const filler = join(disk, 'filler');
    let pieces = 0;
    const onProgress = () => {
      // After a few tensors somebody else takes all that is left.
      if (++pieces !== 12) return;
      fillDisk(disk, filler);
    };
    await expect(quantize(output, { onProgress, journalBytes: 2 ** 18 })).rejects.toMatchObject({
      code: 'disk-full',
      file: output,
    });
    expect(existsSync(output)).toBe(false);

    rmSync(filler);
    expect(await quantize(output, {})).toBeGreaterThan(0);
    expect(readFileSync(output).equals(clean)).toBe(true);
    rmSync(output);
  });

  test('that is too small: refused with the numbers before anything is written', async () => {
    const filler = join(disk, 'filler');
    writeFileSync(filler, Buffer.alloc(3 * 2 ** 20));
    const { bavail, bsize } = statfsSync(disk);
    await expect(quantize(join(disk, 'out.gguf'), {})).rejects.toMatchObject({
      code: 'refused-disk-space',
      message: `The output needs ${clean.length} more bytes; the disk has ${bavail * bsize} free.`,
    });
    expect(readdirSync(disk)).toEqual(['filler']);
  });
});

test.skipIf(process.platform === 'win32')('a file size limit is named', () => {
  const script = join(import.meta.dirname, 'write-child.mjs');
  const output = join(folder, 'limited.gguf');
  const checkpoint = join(import.meta.dirname, '../models/tiny-llama');
  const node = [process.execPath, script, checkpoint, 'Q8_0', output];
  const { status, stderr } = spawnSync('bash', ['-c', 'ulimit -f 1000; exec "$@"', 'bash', ...node]);
  expect(status).not.toBe(0);
  expect(String(stderr)).toContain("code: 'file-too-large'");
  expect(existsSync(output)).toBe(false);
});
