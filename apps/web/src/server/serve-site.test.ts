import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningSite, serveSite } from './serve-site.ts';

let folder: string;
let site: RunningSite;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-site-'));
  writeFileSync(join(folder, 'a b.gguf'), '0123456789');
  writeFileSync(join(folder, 'empty.gguf'), '');
  symlinkSync('/etc/passwd', join(folder, 'link.gguf'));
  symlinkSync('a b.gguf', join(folder, 'inside.gguf'));
  site = await serveSite({ models: folder });
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}) => fetch(site.url + path, { headers });

/** A path as it stands: fetch would tidy it up. */
const statusOf = (path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(site.url);
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });

test.each([
  ['bytes=0-0', 206, '0', 'bytes 0-0/10'],
  ['bytes=3-5', 206, '345', 'bytes 3-5/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=8-100', 206, '89', 'bytes 8-9/10'],
  ['bytes=10-12', 416, '', 'bytes */10'],
  ['bytes=5-3', 416, '', 'bytes */10'],
  ['bytes=1-2,4-5', 200, '0123456789', null],
  ['bytes=-3', 200, '0123456789', null],
])('range %s', async (range, status, text, contentRange) => {
  const response = await get('/models/a%20b.gguf', { range });
  expect([response.status, await response.text(), response.headers.get('content-range')]).toEqual([
    status,
    text,
    contentRange,
  ]);
});

test('an empty file, an unchanged one, a link inside the folder', async () => {
  const empty = await get('/models/empty.gguf');
  expect([empty.status, await empty.text()]).toEqual([200, '']);
  expect((await get('/models/empty.gguf', { range: 'bytes=0-0' })).headers.get('content-range')).toBe('bytes */0');
  const etag = (await get('/models/a%20b.gguf')).headers.get('etag')!;
  expect((await get('/models/a%20b.gguf', { 'if-none-match': etag })).status).toBe(304);
  expect(await (await get('/models/inside.gguf')).text()).toBe('0123456789');
});

test.each([
  '/models/',
  '/models/none.gguf',
  '/models/link.gguf',
  '/models/../package.json',
  '/models/%2e%2e/package.json',
  '/models/..%2f..%2fetc/passwd',
  '/models/%00',
  '/models/%ff',
  '/modules',
  '/../package.json',
])('nothing outside: %s', async (path) => {
  expect(await statusOf(path)).toBe(404);
});

test('isolation is what the headers say', async () => {
  const headers = (response: Response) =>
    ['opener', 'embedder'].map((name) => response.headers.get(`cross-origin-${name}-policy`));
  expect(headers(await get('/models/a%20b.gguf'))).toEqual(['same-origin', 'require-corp']);
  const plain = await serveSite({ isolated: false });
  expect(headers(await fetch(plain.url))).toEqual([null, null]);
  expect((await fetch(`${plain.url}/models/a%20b.gguf`)).status).toBe(404); // no folder was given
  expect((await fetch(plain.url, { method: 'POST' })).status).toBe(405);
  const { port } = new URL(plain.url);
  await expect(serveSite({ port: Number(port) })).rejects.toMatchObject({ code: 'web-cannot-listen' });
  await plain.close();
});

test('the list of the models, as addresses below it', async () => {
  const response = await get('/models.json');
  expect(await response.json()).toEqual(['a%20b.gguf', 'empty.gguf', 'inside.gguf', 'link.gguf']);
  expect(response.headers.get('content-type')).toBe('application/json');
});
