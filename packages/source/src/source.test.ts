import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { blobSource, memorySource, openFile, readAhead, type Source } from './index.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 0xff);
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-source-'));
  await writeFile(join(dir, 'data.bin'), bytes);
});
afterAll(() => rm(dir, { recursive: true }));

const kinds: Record<string, () => Promise<Source>> = {
  memory: async () => memorySource(bytes),
  blob: async () => blobSource(new Blob([bytes])),
  file: () => openFile(join(dir, 'data.bin')),
  'read-ahead': async () => readAhead(memorySource(bytes), 64),
};

describe.each(Object.entries(kinds))('%s source', (_, open) => {
  test('reads any range inside the file, and refuses every other', async () => {
    const source = await open();
    const bound = fc.integer({ min: -5, max: 1005 });
    await fc.assert(
      fc.asyncProperty(bound, bound, async (offset, length) => {
        if (offset >= 0 && length >= 0 && offset + length <= bytes.length) {
          expect(await source.read(offset, length)).toEqual(bytes.subarray(offset, offset + length));
        } else {
          await expect(source.read(offset, length)).rejects.toMatchObject({ code: 'source-out-of-range', offset });
        }
      }),
    );
    for (const offset of [0.5, Number.NaN, 2 ** 60]) {
      await expect(source.read(offset, 1)).rejects.toMatchObject({ code: 'source-out-of-range' });
    }
    await source.close();
  });

  test('fills shared memory in place', async () => {
    const source = await open();
    const target = new Uint8Array(new SharedArrayBuffer(100), 10, 50);
    await source.readInto(target, 500);
    expect([...target]).toEqual([...bytes.subarray(500, 550)]);
    await source.close();
  });

  test('a copy read is not the stored bytes', async () => {
    const source = await open();
    const copy = await source.read(0, 4);
    copy.fill(255);
    expect((await source.read(0, 4))[0]).toBe(bytes[0]);
    await source.close();
  });
});

test('opening what is no readable file names the cause', async () => {
  await expect(openFile(join(dir, 'absent'))).rejects.toMatchObject({ code: 'source-not-found' });
  await expect(openFile(join(dir, 'data.bin', 'below'))).rejects.toMatchObject({ code: 'source-not-found' });
  await expect(openFile(dir)).rejects.toMatchObject({ code: 'source-not-a-file' });
  await expect(openFile('a\0b')).rejects.toMatchObject({ code: 'source-not-readable' });
});

test('a file that shrinks while open is reported, not padded', async () => {
  const path = join(dir, 'shrinks.bin');
  await writeFile(path, bytes);
  const source = await openFile(path);
  await truncate(path, 100);
  await expect(source.read(50, 100)).rejects.toMatchObject({ code: 'source-changed', file: path });
  await source.close();
});

test('what a browser uses imports nothing of Node', async () => {
  const browserFiles = ['source.ts', 'range.ts', 'memory.ts', 'blob.ts', 'http.ts', 'http-range.ts', 'lfs-pointer.ts'];
  for (const name of browserFiles) {
    const imports = [...(await readFile(new URL(name, import.meta.url), 'utf8')).matchAll(/from '(.+)'/g)];
    for (const [, from] of imports) {
      expect(from === '@quern/errors' || browserFiles.includes(from!.replace('./', '')), `${name}: ${from}`).toBe(true);
    }
  }
});
