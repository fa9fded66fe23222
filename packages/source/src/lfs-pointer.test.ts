import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpSource, openFile, readInputFile } from './index.ts';

// The example of git-lfs' docs/spec.md.
const pointer = `version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 12345
`;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-lfs-'));
});
afterAll(() => rm(dir, { recursive: true }));

test.each(['model.safetensors', 'model.gguf', 'pytorch_model.bin', 'tokenizer.model', 'config.json'])(
  '%s that is a pointer is called so, with what brings the file',
  async (name) => {
    const path = join(dir, name);
    await writeFile(path, pointer);
    const error = await openFile(path).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'source-lfs-pointer', file: path });
    expect(error.describe()).toMatch(/Git LFS pointer of 130 bytes.*12,345 bytes.*git lfs pull/);
  },
);

test('with line ends of Windows too', async () => {
  const path = join(dir, 'windows');
  await writeFile(path, pointer.replaceAll('\n', '\r\n'));
  await expect(openFile(path)).rejects.toMatchObject({ code: 'source-lfs-pointer' });
});

test('a file that only speaks of pointers is read', async () => {
  for (const text of [` ${pointer}`, 'version https://git-lfs', pointer.padEnd(2000)]) {
    const path = join(dir, 'text');
    await writeFile(path, text);
    const source = await openFile(path);
    expect(source.size).toBe(text.length);
    await source.close();
  }
});

test('behind HTTP too, where a "raw" address gives the pointer', async () => {
  const server = createServer((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')!;
    const part = pointer.slice(Number(first), Number(last) + 1);
    response.writeHead(206, {
      'content-range': `bytes ${first}-${Number(first) + part.length - 1}/${pointer.length}`,
      'content-length': part.length,
    });
    response.end(part);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/raw/main/model.gguf`;
    await expect(httpSource(url)).rejects.toMatchObject({ code: 'source-lfs-pointer', file: url });
  } finally {
    server.closeAllConnections();
    await new Promise<void>((done) => server.close(() => done()));
  }
});

test('a text of the command line that is a pointer is called so', async () => {
  const path = join(dir, 'corpus.txt');
  await writeFile(path, pointer);
  await expect(readInputFile(path, 'text', 'text-unreadable')).rejects.toMatchObject({ code: 'source-lfs-pointer' });
  await expect(readInputFile(join(dir, 'none'), 'text', 'text-unreadable')).rejects.toMatchObject({
    code: 'text-unreadable',
    message: expect.stringContaining('The text cannot be read: ENOENT'),
  });
});
