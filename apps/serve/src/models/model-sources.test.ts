// The models of a server of many, from a folder and a file of presets; nothing is loaded.
import { copyFile, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
