// The models of a server of many, from a folder and a file of presets; nothing is loaded.
import { copyFile, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreatedModels } from '@quern/checkpoint';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ManyModels } from './many-models.ts';
import { readSources } from './model-sources.ts';

const gguf = new URL('../../../../test/models/arch/qwen2/llama.cpp-bf16.gguf', import.meta.url).pathname;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-sources-'));
  for (const name of ['small', 'large']) await copyFile(gguf, join(dir, `${name}.gguf`));
  // The folder once more: nothing in it is another model.
  await symlink(dir, join(dir, 'again'), 'junction');
});
afterAll(() => rm(dir, { recursive: true }));

const sourcesOf = async (presets: string) => {
  const preset = join(dir, 'presets.ini');
  await writeFile(preset, presets);
  return readSources({
    models: [],
    flags: { modelsDir: [dir], preset, engineTimeout: '600' } as never,
    modelsAtOnce: 1,
    locate: {},
  });
};

it('a preset with the name of a model that is there says how that model is loaded', async () => {
  const { sources, startup } = await sourcesOf(
    '[*]\nctx-size = 64\n[small]\nctx-size = 32\nalias = little\nload-on-startup = true\n[other]\nmodel = large.gguf\n',
  );
  const rows = await Promise.all(
    sources.map(async ({ id, aliases, contextTokens, locate }) => [id, aliases, contextTokens, await locate()]),
  );
  expect(rows.sort()).toEqual([
    ['large', [], undefined, join(dir, 'large.gguf')],
    ['other', [], 64, join(dir, 'large.gguf')],
    ['small', ['little'], 32, join(dir, 'small.gguf')],
  ]);
  expect(startup).toEqual(['small']);
});

it('tells of files what they take and when they were written, before anything is loaded', async () => {
  const { sources } = await sourcesOf('[other]\nmodel = large.gguf\n');
  const models = new ManyModels(sources, { maxLoaded: 1, maxBytes: 50e6, keepMs: -1, strict: true });
  const facts = models.offered().map(({ id, status, fileBytes, createdMs }) => [id, status, fileBytes, createdMs]);
  const factsOf = async (id: string, file: string) => {
    const { size, mtimeMs } = await stat(join(dir, file));
    return [id, 'unloaded', size, mtimeMs];
  };
  expect(facts.sort()).toEqual([
    await factsOf('large', 'large.gguf'),
    await factsOf('other', 'large.gguf'),
    await factsOf('small', 'small.gguf'),
  ]);
  await models.close();
});

it('a context above the trained length takes the room of the trained length', async () => {
  const { sources } = await sourcesOf('[small]\nctx-size = 100000000\n');
  const models = new ManyModels(sources, { maxLoaded: 1, maxBytes: 50e6, keepMs: -1, strict: true });
  const { model, release } = await models.acquire('small', new AbortController().signal);
  expect(model.contextTokens).toBe(model.description.hyperparameters.contextLength);
  release();
  await models.close();
});

it('a file that is none is refused with its line', async () => {
  await expect(sourcesOf('[small]\nctx-size\n')).rejects.toMatchObject({ code: 'preset-malformed', message: /Line 2/ });
  await expect(sourcesOf('[small]\nctx-sise = 3\n')).rejects.toMatchObject({ code: /^preset-/ });
});

it('what goes away while a server runs is not listed any more, and nothing else answers to its name', async () => {
  const folder = join(dir, 'folder');
  const cache = join(dir, 'hub');
  const snapshot = join(cache, `models--o--r/snapshots/${'a'.repeat(40)}`);
  for (const place of [folder, snapshot, join(cache, 'models--o--r/refs')]) await mkdir(place, { recursive: true });
  const files = {
    stays: join(folder, 'stays.gguf'),
    alone: join(folder, 'alone.gguf'),
    split: join(folder, 'split-00001-of-00002.gguf'),
    second: join(folder, 'split-00002-of-00002.gguf'),
    'o/r:Q4_K_M': join(snapshot, 'r-Q4_K_M.gguf'),
  };
  for (const file of Object.values(files)) await copyFile(gguf, file);
  await writeFile(join(cache, 'models--o--r/refs/main'), 'a'.repeat(40));
  const before = process.env.HF_HUB_CACHE;
  process.env.HF_HUB_CACHE = cache;
  try {
    const created = new CreatedModels(cache);
    const texts = { adapters: [], parameters: {}, messages: [], license: [], createdMs: 1 };
    await created.put({ name: 'Made', weights: { reference: files.stays }, ...texts });
    const { sources, find } = await readSources({
      models: [],
      flags: { modelsDir: [folder], modelsCached: true, engineTimeout: '600' } as never,
      modelsAtOnce: 1,
      locate: {},
    });
    // Not strict: a server of one model answers to any name, but for this.
    const models = new ManyModels(sources, { maxLoaded: 1, maxBytes: 50e6, keepMs: -1, strict: false }, find);
    const names = (): string[] =>
      models
        .offered()
        .map(({ id }) => id)
        .sort();
    expect(names()).toEqual(['Made', 'alone', 'o/r:Q4_K_M', 'split', 'stays']);

    for (const file of [files.alone, files.second, files['o/r:Q4_K_M']]) await rm(file);
    await created.remove('Made');
    const { signal } = new AbortController();
    const gone = { status: 404, code: 'model_not_found', message: expect.stringMatching(/not here any more/) };
    await expect(models.acquire('alone', signal)).rejects.toMatchObject(gone);
    expect(names()).toEqual(['stays']);
    for (const name of ['alone', 'split', 'o/r:Q4_K_M', 'Made'])
      await expect(models.acquire(name, signal)).rejects.toMatchObject(gone);

    // It comes back.
    await copyFile(gguf, files.alone);
    await models.refresh();
    expect(names()).toEqual(['alone', 'stays']);
    await rm(folder, { recursive: true });
    await models.refresh();
    expect(names()).toEqual([]);
    await models.close();
  } finally {
    if (before === undefined) delete process.env.HF_HUB_CACHE;
    else process.env.HF_HUB_CACHE = before;
  }
});
