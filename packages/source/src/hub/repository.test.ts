// A real server on the loopback speaks the endpoints of the hub that matter: revision info, tree, resolve with ranges.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openRepository, type RepositoryRequest, type SnapshotProgress } from './repository.ts';
import { hubSettings } from './settings.ts';

const commit = 'c0ffee'.padEnd(40, '0');
const repo = 'owner/tiny';
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 13 + (i >> 9)) & 0xff);
const config = new TextEncoder().encode('{"model_type": "llama"}');
const sha256 = createHash('sha256').update(weights).digest('hex');
const gitSha1 = createHash('sha1').update(`blob ${config.length}\0`).update(config).digest('hex');
const contents: Record<string, Uint8Array> = { 'model.safetensors': weights, 'sub dir/config.json': config };

let server: Server;
let endpoint: string;
let cacheDir: string;
let requests: string[];
/** What the server does wrong in this test. */
let faults: { cutAfter?: number; damage?: boolean; status?: number; paths?: Record<string, string>; noRange?: boolean };

beforeEach(async () => {
  requests = [];
  faults = {};
  cacheDir = await mkdtemp(join(tmpdir(), 'quern-hub-'));
  server = createServer(hub);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise<void>((done) => server.close(() => done()));
  await rm(cacheDir, { recursive: true });
});

function hub(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url!, endpoint);
  const path = decodeURIComponent(url.pathname);
  requests.push(`${path}${request.headers.range ? ` ${request.headers.range}` : ''}`);
  const json = (value: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  if (faults.status) {
    response.writeHead(faults.status, { 'content-type': 'application/json' }).end('{"error": "no"}');
  } else if (path === `/api/models/${repo}/revision/main`) {
    json({ _id: '1', id: repo, sha: commit, lastModified: '2026-01-01T00:00:00Z' });
  } else if (path === `/api/models/${repo}/tree/${commit}`) {
    const rename = (name: string): string => faults.paths?.[name] ?? name;
    json([
      { type: 'directory', path: 'sub dir', size: 0, oid: 'd'.repeat(40) },
      {
        type: 'file',
        path: rename('model.safetensors'),
        size: weights.length,
        oid: 'e'.repeat(40),
        lfs: { oid: sha256, size: weights.length, pointerSize: 130 },
      },
      { type: 'file', path: rename('sub dir/config.json'), size: config.length, oid: gitSha1 },
    ]);
  } else if (path.startsWith(`/${repo}/resolve/${commit}/`)) {
    resolve(path.split(`${commit}/`)[1]!, request, response);
  } else {
    response.writeHead(404).end();
  }
}

function resolve(name: string, request: IncomingMessage, response: ServerResponse): void {
  const whole = contents[name]!.slice();
  if (faults.damage) whole[whole.length - 1]! ^= 1;
  const first = faults.noRange ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const body = whole.subarray(first);
  response.writeHead(faults.noRange ? 200 : 206, {
    'content-length': body.length,
    'content-range': `bytes ${first}-${whole.length - 1}/${whole.length}`,
  });
  if (body.length <= (faults.cutAfter ?? Infinity)) response.end(body);
  else response.write(body.subarray(0, faults.cutAfter), () => response.destroy());
}

interface TinyOptions extends Partial<RepositoryRequest> {
  files?: (name: string) => boolean;
  onProgress?: (progress: SnapshotProgress) => void;
}
const openTiny = (more: Partial<RepositoryRequest> = {}) =>
  openRepository({ repo, endpoint, cacheDir, offline: false, http: { retryMs: 1, attempts: 2 }, ...more });
async function fetchTiny({ files = () => true, onProgress, ...more }: TinyOptions = {}) {
  const opened = await openTiny(more);
  const wanted = opened.files.map(({ path }) => path).filter(files);
  return { dir: await opened.fetch(wanted, { onProgress }), commit: opened.commit };
}
const blob = (hash: string): string => join(cacheDir, 'models--owner--tiny', 'blobs', hash);
const asked = (text: string): string[] => requests.filter((line) => line.includes(text));

test('lays the cache out as huggingface_hub does', async () => {
  const progress: SnapshotProgress[] = [];
  const result = await fetchTiny({ onProgress: (p) => progress.push(p) });
  const root = join(cacheDir, 'models--owner--tiny');
  expect(result).toEqual({ dir: join(root, 'snapshots', commit), commit });
  expect(await readFile(join(root, 'refs', 'main'), 'utf8')).toBe(commit);
  expect(await readlink(join(result.dir, 'model.safetensors'))).toBe(`../../blobs/${sha256}`);
  expect(await readlink(join(result.dir, 'sub dir', 'config.json'))).toBe(`../../../blobs/${gitSha1}`);
  expect(new Uint8Array(await readFile(join(result.dir, 'model.safetensors')))).toEqual(weights);
  expect(new Uint8Array(await readFile(join(result.dir, 'sub dir', 'config.json')))).toEqual(config);
  const total = weights.length + config.length;
  expect(progress.at(-1)).toMatchObject({ receivedBytes: total, totalBytes: total, fileBytes: config.length });
});

test('fetches only the files that are wanted, and nothing twice', async () => {
  const { dir } = await fetchTiny({ files: (name) => name.endsWith('.json') });
  expect(existsSync(join(dir, 'model.safetensors'))).toBe(false);
  expect(asked('resolve')).toHaveLength(1);
  await fetchTiny();
  await fetchTiny();
  expect(asked('config.json')).toHaveLength(1);
  expect(asked('model.safetensors')).toHaveLength(1);
  await expect(fetchTiny({ files: () => false })).rejects.toMatchObject({ code: 'hub-no-files' });
});

test('goes on after a cut within one run, by range', async () => {
  faults.cutAfter = 120_000;
  const { dir } = await fetchTiny({ http: { retryMs: 1, attempts: 10 } });
  expect(new Uint8Array(await readFile(join(dir, 'model.safetensors')))).toEqual(weights);
  const starts = asked('model.safetensors').map((line) => Number(/bytes=(\d+)-299999$/.exec(line)?.[1]));
  // A cut may also lose bytes on their way, so where each attempt begins is known only roughly.
  expect(starts[0]).toBe(0);
  expect(starts.length).toBeGreaterThanOrEqual(3);
  for (const [i, start] of starts.slice(1).entries()) {
    expect(start).toBeGreaterThanOrEqual(starts[i]!);
    expect(start).toBeLessThanOrEqual(starts[i]! + 120_000);
  }
});

test.each([false, true])(
  'goes on with the partial file of an earlier run (server without ranges: %s)',
  async (noRange) => {
    faults.noRange = noRange;
    await mkdir(join(blob(sha256), '..'), { recursive: true });
    await writeFile(`${blob(sha256)}.incomplete`, weights.subarray(0, 200_000));
    const received: number[] = [];
    await fetchTiny({
      onProgress: ({ file, fileReceivedBytes }) => file.startsWith('m') && received.push(fileReceivedBytes),
    });
    expect(received[0]).toBe(200_000);
    expect(asked('model.safetensors')[0]).toContain('bytes=200000-');
    expect(new Uint8Array(await readFile(blob(sha256)))).toEqual(weights);
  },
);

test('a wrong hash is an error, and the damaged bytes are deleted', async () => {
  faults.damage = true;
  await expect(fetchTiny()).rejects.toMatchObject({ code: 'hub-wrong-hash', file: 'model.safetensors' });
  await expect(fetchTiny({ files: (name) => name.endsWith('json') })).rejects.toMatchObject({ code: 'hub-wrong-hash' });
  for (const hash of [sha256, gitSha1]) {
    expect(existsSync(blob(hash))).toBe(false);
    expect(existsSync(`${blob(hash)}.incomplete`)).toBe(false);
  }
  expect(existsSync(join(cacheDir, 'models--owner--tiny', 'refs', 'main'))).toBe(false);
  faults.damage = false;
  await fetchTiny();
});

test('a partial file of other bytes is found out by the hash', async () => {
  await mkdir(join(blob(sha256), '..'), { recursive: true });
  await writeFile(`${blob(sha256)}.incomplete`, new Uint8Array(1000));
  await expect(fetchTiny()).rejects.toMatchObject({ code: 'hub-wrong-hash' });
  await fetchTiny();
});

test('offline, a cached snapshot resolves without the network', async () => {
  const online = await fetchTiny();
  requests.length = 0;
  expect(await fetchTiny({ offline: true })).toEqual(online);
  expect(await fetchTiny({ offline: true, revision: commit })).toEqual(online);
  await expect(fetchTiny({ offline: true, revision: 'v2' })).rejects.toMatchObject({ code: 'hub-offline' });
  await expect(fetchTiny({ offline: true, repo: 'owner/other' })).rejects.toMatchObject({ code: 'hub-offline' });
  expect(requests).toEqual([]);
});

test.each([
  [401, 'hub-unauthorized'],
  [403, 'hub-unauthorized'],
  [404, 'hub-not-found'],
  [400, 'hub-failed'],
  [503, 'hub-unreachable'],
])('status %i is %s', async (status, code) => {
  faults.status = status;
  await expect(fetchTiny()).rejects.toMatchObject({ code });
});

test('a hub that does not answer, and a file that cannot be had, are named', async () => {
  const nobody = 'http://127.0.0.1:1';
  await expect(fetchTiny({ endpoint: nobody })).rejects.toMatchObject({ code: 'hub-unreachable' });
  faults.cutAfter = 0;
  await expect(fetchTiny()).rejects.toMatchObject({ code: 'http-failed' });
});

test.each(['../escape', '/etc/passwd', 'a/../../b', 'a\\b', 'c:evil', 'a//b'])(
  'refuses the file name %s',
  async (name) => {
    faults.paths = { 'sub dir/config.json': name };
    await expect(fetchTiny()).rejects.toMatchObject({ code: 'hub-bad-path' });
  },
);

test('refuses ids and revisions that are none', async () => {
  for (const bad of ['', 'a/b/c', '../x', 'owner/..', 'owner/na me', '/abs']) {
    await expect(fetchTiny({ repo: bad })).rejects.toMatchObject({ code: 'hub-bad-repo' });
  }
  await expect(fetchTiny({ revision: '../../x' })).rejects.toMatchObject({ code: 'hub-bad-path' });
});

test('the token goes to the hub, and an abort ends the fetch', async () => {
  const tokens = new Set<string | undefined>();
  server.prependListener('request', (request) => tokens.add(request.headers.authorization));
  await fetchTiny({ token: 'secret' });
  expect([...tokens]).toEqual(['Bearer secret']);
  const abort = new AbortController();
  abort.abort(new Error('enough'));
  await expect(fetchTiny({ signal: abort.signal })).rejects.toThrow('enough');
});

test('a file is read by range and not kept; one that is in the cache is not asked for', async () => {
  const opened = await openTiny();
  expect(opened.files).toEqual([
    expect.objectContaining({ path: 'model.safetensors', size: weights.length }),
    expect.objectContaining({ path: 'sub dir/config.json', size: config.length }),
  ]);
  requests.length = 0;
  const remote = await opened.open('model.safetensors');
  expect(remote.size).toBe(weights.length);
  expect(await remote.read(1000, 50)).toEqual(weights.slice(1000, 1050));
  expect(requests).toEqual([`/${repo}/resolve/${commit}/model.safetensors bytes=1000-1049`]);
  expect(existsSync(join(cacheDir, 'models--owner--tiny'))).toBe(false);
  await expect(opened.open('none.gguf')).rejects.toMatchObject({ code: 'hub-no-files' });

  await fetchTiny();
  requests.length = 0;
  for (const offline of [false, true]) {
    const again = await openTiny({ offline });
    expect(again.files.map(({ path }) => path)).toEqual(['model.safetensors', 'sub dir/config.json']);
    const cached = await again.open('model.safetensors');
    expect(await cached.read(7, 9)).toEqual(weights.slice(7, 16));
    await cached.close();
  }
  expect(asked('resolve')).toEqual([]);
});

test('a file of a server that sends whole files only is read nevertheless', async () => {
  faults.noRange = true;
  const remote = await (await openTiny()).open('sub dir/config.json');
  expect(await remote.read(2, 10)).toEqual(config.slice(2, 12));
});

test('settings follow the environment of huggingface_hub', async () => {
  const home = await mkdtemp(join(tmpdir(), 'quern-home-'));
  await writeFile(join(home, 'token'), 'stored\n');
  expect(await hubSettings({}, { HF_HOME: home, HF_ENDPOINT: 'https://mirror.test/', HF_HUB_OFFLINE: '1' })).toEqual({
    cacheDir: join(home, 'hub'),
    token: 'stored',
    offline: true,
    endpoint: 'https://mirror.test',
  });
  expect(await hubSettings({}, { HF_HOME: home, HF_HUB_CACHE: '/c', HF_TOKEN: 'env' })).toMatchObject({
    cacheDir: '/c',
    token: 'env',
    offline: false,
  });
  expect((await hubSettings({ cacheDir: '/mine', token: 'opt' }, { HF_HUB_CACHE: '/c' })).cacheDir).toBe('/mine');
  await rm(home, { recursive: true });
});
