// References to GGUF models on the hub and elsewhere, against a real server on the loopback.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackHub, startLoopbackHub } from '../../../test/loopback-hub.ts';
import { type LocateOptions, locateCheckpoint } from './locate.ts';

const gguf = (text: string) => `GGUF ${text}`;
const repositories = {
  'o/many': {
    'README.md': 'words',
    'm-Q2_K.gguf': gguf('2'),
    'm-Q4_K_M.gguf': gguf('four bits'),
    'm-UD-Q5_K_XL.gguf': gguf('5'),
    'm-Q8_0.gguf': gguf('eight'),
    'BF16/m-BF16-00001-of-00002.gguf': gguf('first'),
    'BF16/m-BF16-00002-of-00002.gguf': gguf('second'),
    'F32/part-00001-of-00002.gguf': gguf('lonely'),
    'mmproj-m-F16.gguf': gguf('projector'),
    'm.imatrix.gguf': gguf('importance'),
  },
  'o/few': { 'a-Q8_0.gguf': gguf('a'), 'b-Q6_K.gguf': gguf('b'), 'mmproj-Q4_K_M.gguf': gguf('p') },
  'o/one': { 'config.json': '{}', 'x.gguf': gguf('x'), 'mmproj-x.gguf': gguf('p') },
  'o/both': { 'config.json': '{}', 'model.safetensors': 'weights', 'b-Q4_0.gguf': gguf('b') },
  'o/sub': { 'fp16/config.json': '{}', 'fp16/model.safetensors': 'weights', 'other/model.safetensors': 'others' },
};
const files = {
  'free.gguf': gguf('free'),
  's-00001-of-00002.gguf': gguf('1'),
  's-00002-of-00002.gguf': gguf('2'),
  'page.gguf': '<html>',
};

let hub: LoopbackHub;
let cacheDir: string;
beforeAll(async () => {
  hub = await startLoopbackHub({ repositories, files });
});
afterAll(() => hub.close());
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'quern-reference-'));
  hub.asked.length = 0;
});
afterEach(() => rm(cacheDir, { recursive: true }));

const locate = (ref: string, more: LocateOptions = {}) =>
  locateCheckpoint(ref, { endpoint: hub.endpoint, cacheDir, offline: false, ...more });
const fetched = () =>
  hub.asked.filter((line) => /\/resolve\/|\/files\//.test(line)).map((line) => basename(line.split(' ')[0]!));

describe('a GGUF model on the hub', () => {
  it.each<[string, string]>([
    ['o/many', 'm-Q4_K_M.gguf'],
    ['o/many:q8_0', 'm-Q8_0.gguf'],
    ['o/many:Q5_K_XL', 'm-UD-Q5_K_XL.gguf'],
    ['o/many:M-Q2_K.gguf', 'm-Q2_K.gguf'],
    ['o/many/m-Q2_K.gguf', 'm-Q2_K.gguf'],
    ['o/many/mmproj-m-F16.gguf', 'mmproj-m-F16.gguf'],
    ['o/many@main/m-Q2_K.gguf', 'm-Q2_K.gguf'],
    ['hf.co/o/many:Q8_0', 'm-Q8_0.gguf'],
    ['hf://o/many/m-Q8_0.gguf', 'm-Q8_0.gguf'],
    ['https://huggingface.co/o/many/blob/main/m-Q8_0.gguf', 'm-Q8_0.gguf'],
    ['o/one', 'x.gguf'],
    ['o/both:Q4_0', 'b-Q4_0.gguf'],
  ])('%s is %s, and nothing else is fetched', async (ref, name) => {
    const { path, kind, fetched: called } = await locate(ref);
    expect({ kind, called, name: basename(path) }).toEqual({ kind: 'gguf', called: name, name });
    expect((await readFile(path, 'utf8')).slice(0, 4)).toBe('GGUF');
    expect(fetched()).toEqual([name]);
  });

  it.each(['o/many:bf16', 'o/many/BF16/m-BF16-00002-of-00002.gguf', 'https://hf.co/o/many/tree/main/BF16'])(
    '%s fetches all splits, the first of which is given',
    async (ref) => {
      const { path } = await locate(ref);
      expect(path).toMatch(/BF16[/\\]m-BF16-00001-of-00002\.gguf$/);
      expect(fetched()).toEqual(['m-BF16-00001-of-00002.gguf', 'm-BF16-00002-of-00002.gguf']);
    },
  );

  it('says what was taken where there was a choice, and only there', async () => {
    const notes: string[] = [];
    await locate('o/one', { onNote: (note) => notes.push(note) });
    await locate('o/many', { onNote: (note) => notes.push(note) });
    expect(notes).toEqual([expect.stringMatching(/6 GGUF models in o\/many: m-Q4_K_M\.gguf \(Q4_K_M, 14 B\)/)]);
  });

  it.each<[string, string, RegExp]>([
    ['o/few', 'checkpoint-ambiguous', /2 GGUF models.*\n +o\/few:Q8_0 +6 B\n +o\/few:Q6_K +6 B$/s],
    ['o/many:latest', 'checkpoint-no-such-quant', /no GGUF file of the type latest.*\n +o\/many:Q4_K_M +14 B/s],
    ['o/many:Q4_K', 'checkpoint-no-such-quant', /o\/many:BF16 +21 B/],
    ['o/both:Q2_K', 'checkpoint-no-such-quant', /o\/both:Q4_0/],
    ['o/sub:Q2_K', 'checkpoint-no-such-quant', /o\/sub has no GGUF files/],
    ['o/many:F32', 'gguf-split-missing', /1 of the 2 splits/],
    ['o/many/m-Q9_K.gguf', 'hub-no-files', /no file or folder "m-Q9_K\.gguf".*m-Q8_0\.gguf/],
    ['o/both/model.safetensors', 'checkpoint-not-recognized', /Give the whole checkpoint, o\/both/],
    ['o/sub', 'checkpoint-no-weights', /neither safetensors/],
  ])('%s is refused before anything is fetched', async (ref, code, text) => {
    const error = await locate(ref).catch((caught) => caught);
    expect(error.code).toBe(code);
    expect(error.describe()).toMatch(text);
    expect(fetched()).toEqual([]);
  });

  it('is refused before it is fetched by whoever wants none', async () => {
    const accept = (kind: string, path: string) => {
      throw new Error(`${kind} ${path}`);
    };
    await expect(locate('o/many:Q8_0', { accept })).rejects.toThrow('gguf o/many/m-Q8_0.gguf');
    await expect(locate('o/both', { accept })).rejects.toThrow('hf o/both');
    await expect(locate(`${hub.endpoint}/files/free.gguf`, { accept })).rejects.toThrow('gguf');
    expect(fetched()).toEqual(['free.gguf']); // four bytes of it
  });

  it('is found again without the network', async () => {
    const { path } = await locate('o/many:Q8_0');
    expect((await locate('o/many:Q8_0', { offline: true })).path).toBe(path);
    await expect(locate('o/many:Q2_K', { offline: true })).rejects.toMatchObject({ code: 'checkpoint-no-such-quant' });
  });
});

it('a checkpoint in a folder of a repository is fetched alone', async () => {
  const { path, kind } = await locate('https://huggingface.co/o/sub/tree/main/fp16');
  expect(kind).toBe('hf');
  expect(await readFile(join(path, 'model.safetensors'), 'utf8')).toBe('weights');
  expect(fetched()).toEqual(['config.json', 'model.safetensors']);
});

describe('an address of another server', () => {
  it('is fetched once', async () => {
    const ref = `${hub.endpoint}/files/free.gguf`;
    const { path } = await locate(ref);
    expect(await readFile(path, 'utf8')).toBe(gguf('free'));
    hub.asked.length = 0;
    expect((await locate(ref)).path).toBe(path);
    expect(hub.asked).toEqual(['/files/free.gguf bytes=0-3']);
    expect((await locate(ref, { offline: true })).path).toBe(path);
  });

  it('of a split brings all splits', async () => {
    const { path } = await locate(`${hub.endpoint}/files/s-00002-of-00002.gguf`);
    expect(await readFile(path, 'utf8')).toBe(gguf('1'));
    expect(await readFile(path.replace('-00001', '-00002'), 'utf8')).toBe(gguf('2'));
  });

  it('that gives no GGUF is refused', async () => {
    await expect(locate(`${hub.endpoint}/files/page.gguf`)).rejects.toMatchObject({
      code: 'checkpoint-not-recognized',
    });
    await expect(locate(`${hub.endpoint}/files/none.gguf`)).rejects.toMatchObject({ code: 'http-not-found' });
  });
});

it.each([
  ['no/such', 'checkpoint-not-found'],
  ['no/such/model.gguf', 'checkpoint-not-found'],
  ['no/such:Q4_K_M', 'checkpoint-not-found'],
])('%s is neither here nor on the hub, and both are said', async (ref, code) => {
  const error = await locate(ref).catch((caught) => caught);
  expect(error).toMatchObject({ code, file: ref });
  expect(error.describe()).toMatch(/no such file or folder\..*As a hub id: No model no\/such/);
});
