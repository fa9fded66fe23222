// Files that clients send before they create a model: they count when their hash is right, and leave nothing when it is not.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startTestServer } from '../serve-fixture.ts';
import { blobs, cache, digest, digestOf, folder, gguf, send, sent, server, start } from './fixture.ts';

describe('a file that is sent', () => {
  it('is there once its hash is right, however large it is', async () => {
    expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(404);
    expect((await send(digest, gguf)).status).toBe(201);
    expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
    expect((await send(digest, gguf)).status).toBe(200);
    expect(readFileSync(join(blobs, digest.replace(':', '-'))).equals(gguf)).toBe(true);
  });

  it.each([
    ['sha256:..%2f..%2f..%2fetc%2fpasswd', 400],
    ['sha256:%2e%2e%2f%2e%2e%2fx', 400],
    ['sha256-abc', 400],
    [`md5:${'0'.repeat(32)}`, 400],
    [`sha256:${'0'.repeat(64)}`, 400],
  ])('is refused by the name %s, and leaves nothing', async (name, status) => {
    const before = sent();
    const response = await send(name, 'not what was told');
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: expect.stringMatching(/digest/), code: /digest_|digest-/ });
    expect(sent()).toEqual(before);
  });

  it('has to fit on the disk, which is asked first', async () => {
    const before = sent();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const path = `/api/blobs/sha256:${'1'.repeat(64)}`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${2 ** 52}\r\n\r\nGGUF`);
    const answer = await new Promise<string>((resolve) => socket.once('data', (data) => resolve(String(data))));
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 507 /);
    expect(answer).toMatch(/disk_full/);
    expect(sent()).toEqual(before);
  });

  it('is for servers that may change alone', async () => {
    const fixed = await startTestServer();
    for (const method of ['HEAD', 'POST'])
      expect((await fetch(`${fixed.url}/api/blobs/${digest}`, { method })).status).toBe(403);
    const told = await (await fixed.post('/api/create', { model: 'a', from: 'b' })).json();
    expect(told).toMatchObject({ code: 'changes_not_allowed', error: expect.stringMatching(/quern create/) });
    await fixed.close();
  });

  it('of a client that goes away leaves nothing, and the next is answered', async () => {
    const before = sent();
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const path = `/api/blobs/sha256:${'2'.repeat(64)}`;
    socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(1000)}`);
    await expect.poll(() => sent().length).toBe(before.length + 1);
    socket.destroy();
    await expect.poll(sent).toEqual(before);
    expect((await fetch(`${server.url}/api/blobs/${digest}`, { method: 'HEAD' })).status).toBe(200);
  });
});

const disk = join(folder, 'disk');
mkdirSync(disk);
const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
if (status !== 0) console.warn(`Skipping the full disk: ${String(stderr).trim()}`);

describe.skipIf(status !== 0)('a disk that fills up', () => {
  afterAll(() => spawnSync('umount', [disk]));

  it('is told of, keeps nothing of the file, and the next is taken in', async () => {
    await server.close();
    process.env.HF_HUB_CACHE = disk;
    await start();
    // In pieces: nobody says before how much will come.
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(gguf);
        controller.close();
      },
    });
    const init = { method: 'POST', body: stream, duplex: 'half' } as RequestInit;
    const response = await fetch(`${server.url}/api/blobs/${digest}`, init);
    expect([response.status, await response.json()]).toEqual([507, expect.objectContaining({ code: 'disk_full' })]);
    expect(readdirSync(join(disk, 'quern--created/blobs'))).toEqual([]);
    const small = Buffer.from('small');
    expect((await send(digestOf(small), small)).status).toBe(201);
    await server.close();
    process.env.HF_HUB_CACHE = cache;
    await start();
  });
});
