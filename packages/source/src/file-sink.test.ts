import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFileSink } from './index.ts';

const run = promisify(execFile);

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-sink-'));
});
afterAll(() => rm(dir, { recursive: true }));

test('writes in any order, and has its final name only at the end', async () => {
  const path = join(dir, 'out.bin');
  await writeFile(`${path}.partial`, 'left over from a killed run, longer than the new file');
  const sink = await createFileSink(path, 10);
  await Promise.all([sink.write(Uint8Array.of(8, 9), 8), sink.write(Uint8Array.of(1, 2, 3), 1)]);
  expect(existsSync(path)).toBe(false);
  await sink.finish();
  expect([...(await readFile(path))]).toEqual([0, 1, 2, 3, 0, 0, 0, 0, 8, 9]);
  await sink.abort();
  expect(await readdir(dir)).toEqual(['out.bin']);
});

test('abort leaves nothing and keeps an older result', async () => {
  const path = join(dir, 'kept.bin');
  await writeFile(path, 'old');
  const sink = await createFileSink(path, 10);
  await sink.abort();
  await sink.abort();
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(existsSync(`${path}.partial`)).toBe(false);
  await expect(sink.write(Uint8Array.of(1), 0)).rejects.toMatchObject({ code: 'write-failed' });
  await expect(sink.finish()).rejects.toMatchObject({ code: 'write-failed' });
});

test('refuses bytes beyond the declared size', async () => {
  const sink = await createFileSink(join(dir, 'small.bin'), 4);
  for (const offset of [-1, 3, 0.5, Number.NaN]) {
    await expect(sink.write(new Uint8Array(2), offset)).rejects.toMatchObject({ code: 'write-out-of-range' });
  }
  await sink.abort();
});

test('a folder that does not exist is a write error with the path', async () => {
  const path = join(dir, 'no', 'such', 'folder.bin');
  await expect(createFileSink(path, 4)).rejects.toMatchObject({ code: 'write-failed', file: path });
});

test('a folder of the final name is refused before the work', async () => {
  await expect(createFileSink(dir, 4)).rejects.toMatchObject({ code: 'write-failed', file: dir });
  expect(existsSync(`${dir}.partial`)).toBe(false);
});

test('a pipe or a device of the final name stays what it is', async () => {
  const pipe = join(dir, 'pipe');
  await run('mkfifo', [pipe]);
  await expect(createFileSink(pipe, 4)).rejects.toMatchObject({ code: 'write-failed', file: pipe });
  expect((await stat(pipe)).isFIFO()).toBe(true);
  expect(existsSync(`${pipe}.partial`)).toBe(false);
});

test('more than the file system can hold is refused before anything is written', async () => {
  const path = join(dir, 'huge.bin');
  await expect(createFileSink(path, 2 ** 52)).rejects.toMatchObject({
    code: 'disk-full',
    file: path,
    message: expect.stringContaining(String(2 ** 52)),
  });
  expect(existsSync(`${path}.partial`)).toBe(false);
});

// The two limits below hold for a whole process or mount, so a child process meets them: it writes `size` bytes after
// `ballast` bytes of something else, and reports the error and what is left in the folder.
const child = `
  import { createFileSink } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url))};
  import { writeFileSync, readdirSync } from 'node:fs';
  const [dir, size, ballast] = process.argv.slice(-3);
  try {
    const sink = await createFileSink(dir + '/out.bin', Number(size));
    if (Number(ballast) > 0) writeFileSync(dir + '/ballast', new Uint8Array(Number(ballast)));
    try {
      await sink.write(new Uint8Array(Number(size)), 0);
    } finally {
      await sink.abort();
    }
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, message: error.message, left: readdirSync(dir) }));
  }`;

/** @param launcher a command that runs its further arguments under a limit */
async function writeUnder(launcher: string[], folder: string, size: number, ballast: number): Promise<unknown> {
  const script = join(dir, 'child.mjs');
  await writeFile(script, child);
  const node = [process.execPath, script];
  const [command, ...args] = [...launcher, ...node, folder, String(size), String(ballast)];
  return JSON.parse((await run(command!, args)).stdout);
}

test('a file over the process limit (EFBIG) is named, with the bytes needed', async (context) => {
  if (process.platform === 'win32') context.skip('there is no ulimit on Windows');
  const folder = await mkdtemp(join(dir, 'limit-'));
  const result = await writeUnder(['bash', '-c', 'ulimit -f 64 && exec "$@"', 'bash'], folder, 200_000, 0);
  expect(result).toMatchObject({ code: 'file-too-large', message: expect.stringContaining('200000'), left: [] });
});

test('a disk that fills up while writing (ENOSPC) is named, with the bytes needed', async (context) => {
  const folder = await mkdtemp(join(dir, 'disk-'));
  const mounted = `mount -t tmpfs -o size=1m tmpfs '${folder}' && exec "$@"`;
  const launcher = ['unshare', '-rm', 'bash', '-c', mounted, 'bash'];
  const allowed = await run(launcher[0]!, [...launcher.slice(1), 'true']).then(
    () => true,
    () => false,
  );
  if (!allowed) context.skip('this system does not let us mount a small tmpfs');
  const result = await writeUnder(launcher, folder, 800_000, 500_000);
  expect(result).toMatchObject({ code: 'disk-full', message: expect.stringContaining('800000'), left: ['ballast'] });
});
