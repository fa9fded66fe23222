import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadRecipe, recipeNames } from './recipe.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quern-recipe-'));
  writeFileSync(join(folder, 'text.txt'), 'some text');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = {
  name: 'mine',
  corpus: 'text.txt',
  sha256: createHash('sha256').update('some text').digest('hex'),
  licence: 'CC0-1.0',
  ctx: 64,
  chunks: 3,
  seed: 0,
};
const path = () => join(folder, 'mine.json');
function load(recipe: unknown) {
  writeFileSync(path(), typeof recipe === 'string' ? recipe : JSON.stringify(recipe));
  return loadRecipe(path());
}

test('every recipe that comes with quern has its text, unchanged, small and licensed', async () => {
  expect(await recipeNames()).toContain('default');
  for (const name of await recipeNames()) {
    const recipe = await loadRecipe(name);
    expect(recipe.name).toBe(name);
    expect(recipe.licence).toMatch(/^(MIT|CC0-1\.0)$/);
    expect(statSync(recipe.corpus.path).size).toBeLessThan(2 ** 20);
  }
});

test('says the plan', async () => {
  const { plan, licence } = await load({ ...good, parseSpecial: true, minimumRows: 9 });
  expect(licence).toBe('CC0-1.0');
  expect(plan).toEqual({
    texts: [{ name: 'mine', bytes: Buffer.from('some text') }],
    contextTokens: 64,
    maxChunks: 3,
    seed: 0,
    parseSpecial: true,
    minimumRows: 9,
  });
});

test('a text that has changed is refused', async () => {
  await expect(
    load({ ...good, sha256: good.sha256.replace(/^./, (c) => (c === '0' ? '1' : '0')) }),
  ).rejects.toMatchObject({
    code: 'corpus-changed',
    file: join(folder, 'text.txt'),
  });
});

test.each<[string, unknown]>([
  ['recipe-invalid', 'not JSON'],
  ['recipe-invalid', '[]'],
  ['recipe-invalid', { ...good, ctx: 0 }],
  ['recipe-invalid', { ...good, chunks: '3' }],
  ['recipe-invalid', { ...good, seed: -1 }],
  ['recipe-invalid', { ...good, sha256: 'abc' }],
  ['recipe-invalid', { ...good, licence: undefined }],
  ['recipe-invalid', { ...good, chunk: 3 }],
  ['corpus-unreadable', { ...good, corpus: 'missing.txt' }],
])('%s (%#)', async (code, recipe) => {
  await expect(load(recipe)).rejects.toMatchObject({ code });
});

test('an unknown name is answered with the known ones', async () => {
  await expect(loadRecipe('nonsense')).rejects.toMatchObject({
    code: 'recipe-not-found',
    remedy: expect.stringContaining('default'),
  });
  await expect(loadRecipe('/nowhere/x.json')).rejects.toMatchObject({ code: 'recipe-unreadable' });
});
