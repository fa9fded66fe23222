// `quern pull`, `list` and `rm` with a real hub on the loopback and a cache of their own.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { commit, type LoopbackHub, startLoopbackHub } from '../loopback-hub.ts';
import { root, runCommand, runCommands } from './cli-fixture.ts';

const llama = join(root, 'test/models/arch/llama3');
const lfs = 2 ** 58;
let dir: string;
let cache: string;
let hub: LoopbackHub;
let q8: Buffer;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-local-'));
  q8 = await readFile(join(llama, 'llama.cpp-q8_0.gguf'));
  const bf16 = await readFile(join(llama, 'llama.cpp-bf16.gguf'));
  const checkpoint = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
  const contents = await Promise.all(
    checkpoint.map(async (name) => [name, await readFile(join(llama, name))] as const),
  );
  hub = await startLoopbackHub({
    repositories: {
      'o/tiny-GGUF': {
        'README.md': 'words',
        'tiny-Q8_0.gguf': q8,
        'same-Q4_K_M.gguf': q8,
        'tiny-BF16.gguf': bf16,
        'split/tiny-F16-00001-of-00002.gguf': 'GGUF one',
        'split/tiny-F16-00002-of-00002.gguf': 'GGUF two',
      },
      'o/tiny': { ...Object.fromEntries(contents), 'notes.pdf': 'not needed' },
      'o/vast': { 'vast-Q4_K_M.gguf': 'GGUF' },
    },
    claimed: { 'vast-Q4_K_M.gguf': lfs },
  });
  Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HUB_OFFLINE: '0' });
});
afterAll(async () => {
  await hub.close();
  await rm(dir, { recursive: true });
});
beforeEach(async () => {
  cache = await mkdtemp(join(dir, 'cache-'));
  process.env.HF_HUB_CACHE = cache;
  hub.asked.length = 0;
});

const fetched = () => hub.asked.filter((line) => line.includes('/resolve/'));
const blobs = (repo: string) => readdir(join(cache, `models--${repo.replace('/', '--')}`, 'blobs'));
const listed = async () => JSON.parse((await runCommand('list', '--json')).stdout);

describe('quern pull', () => {
  it('of a GGUF repository takes Q4_K_M, and says so', async () => {
    const { code, stdout, stderr } = await runCommand('pull', 'o/tiny-GGUF', '--json');
    expect(stderr).toMatch(/of 4 GGUF models in o\/tiny-GGUF: same-Q4_K_M\.gguf \(Q4_K_M, /);
    expect(code).toBe(0);
    const { path, kind, bytes, files } = JSON.parse(stdout);
    expect(path).toBe(join(cache, 'models--o--tiny-GGUF/snapshots', commit, 'same-Q4_K_M.gguf'));
    expect({ kind, bytes, files: files.length }).toEqual({ kind: 'gguf', bytes: q8.length, files: 1 });
    expect((await readFile(path)).equals(q8)).toBe(true);
  });

  it('takes all splits, and a checkpoint whole', async () => {
    const [split, checkpoint] = await Promise.all([
      runCommand('pull', 'hf.co/o/tiny-GGUF:f16', '--json'),
      runCommand('pull', 'o/tiny', '--json'),
    ]);
    expect(JSON.parse(split.stdout).files).toHaveLength(2);
    const { path, kind } = JSON.parse(checkpoint.stdout);
    expect(kind).toBe('hf');
    expect((await readdir(path)).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    // What is here is not fetched again.
    hub.asked.length = 0;
    expect((await runCommand('pull', 'o/tiny')).stdout).toContain(path);
    expect(fetched()).toEqual([]);
  });

  it('goes on with what was begun', async () => {
    const { stdout } = await runCommand('pull', 'o/tiny-GGUF:Q8_0', '--json');
    const [blob] = await blobs('o/tiny-GGUF');
    await truncate(join(cache, 'models--o--tiny-GGUF/blobs', blob!), 1000);
    const place = join(cache, 'models--o--tiny-GGUF/blobs');
    await cp(join(place, blob!), join(place, `${blob}.incomplete`));
    await rm(join(place, blob!));
    expect((await listed()).unfinished).toEqual([{ model: 'o/tiny-GGUF', bytes: 1000 }]);
    hub.asked.length = 0;
    expect((await runCommand('pull', 'o/tiny-GGUF:Q8_0')).code).toBe(0);
    expect(fetched()).toHaveLength(1);
    expect(fetched()[0]).toContain('bytes=1000-');
    expect((await readFile(JSON.parse(stdout).path)).equals(q8)).toBe(true);
  });

  it('refuses before the first byte: a type that is not there, a disk too small, what is here, what is nowhere', async () => {
    const lines = [
      ['pull', 'o/tiny-GGUF:Q2_K'],
      ['pull', 'o/vast'],
      ['pull', llama],
      ['pull', 'o/nothing'],
    ];
    const [noQuant, noRoom, here, nowhere] = await runCommands(lines);
    expect(noQuant).toMatchObject({ code: 1 });
    expect(noQuant!.stderr).toMatch(/no GGUF file of the type Q2_K[\s\S]*\n +o\/tiny-GGUF:Q8_0 +\d+/);
    expect(noRoom).toMatchObject({ code: 3 });
    expect(noRoom!.stderr).toMatch(
      new RegExp(`o/vast at c0ffee00: ${lfs} more bytes are to be fetched; the disk has \\d+ free`),
    );
    expect(here).toMatchObject({ code: 2 });
    expect(nowhere!.stderr).toMatch(/No model o\/nothing/);
    expect(fetched()).toEqual([]);
    expect(await readdir(cache)).toEqual([]);
  });
});

describe('quern list', () => {
  it('names what every command takes, with type, size and architecture', async () => {
    const names = ['o/tiny-GGUF:Q8_0', 'o/tiny'];
    const results = await runCommands([
      ...names.map((name) => ['pull', name]),
      ['list', '--json'],
      ['list'],
      ...names.map((name) => ['tokenize', name, '--text', 'a', '--json']),
    ]);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    const { models } = JSON.parse(results[2]!.stdout);
    expect(models).toMatchObject([
      { name: 'o/tiny', kind: 'hf', architecture: 'llama', quant: 'bfloat16', complete: true },
      { name: 'o/tiny-GGUF:Q8_0', kind: 'gguf', architecture: 'llama', quant: 'Q8_0', bytes: q8.length },
    ]);
    expect(results[3]!.stdout).toMatch(
      /^name +quant +size.*\no\/tiny +bfloat16 .*\no\/tiny-GGUF:Q8_0 +Q8_0 +\d+ KiB .*llama$/m,
    );
  });

  it('shows folders of models: files, splits, checkpoints, and those that are damaged', async () => {
    const models = await mkdtemp(join(dir, 'models-'));
    await mkdir(join(models, 'maker/tiny'), { recursive: true });
    await mkdir(join(models, 'maker/two'));
    await writeFile(join(models, 'tiny.Q8_0.gguf'), q8);
    await writeFile(join(models, 'maker/tiny/tiny-Q8_0.gguf'), q8);
    await writeFile(join(models, 'maker/two/a-Q8_0-00001-of-00002.gguf'), q8);
    await writeFile(join(models, 'maker/two/b-Q4_0.gguf'), 'GGUF but not really');
    await cp(llama, join(models, 'llama'), { recursive: true, filter: (path) => !path.endsWith('.gguf') });
    const { stdout } = await runCommand('list', '--models-dir', models, '--json');
    const rows = JSON.parse(stdout).models.map(({ name, complete, fault }: Record<string, unknown>) => [
      name,
      complete,
      fault !== undefined,
    ]);
    expect(rows).toEqual([
      ['llama', true, false],
      ['maker/tiny', true, false],
      ['maker/two/a-Q8_0', false, false],
      ['maker/two/b-Q4_0', true, true],
      ['tiny.Q8_0', true, false],
    ]);
  });
});

describe('quern rm', () => {
  it('deletes what nothing else needs, and nothing without a yes', async () => {
    await runCommands(['Q8_0', 'Q4_K_M', 'BF16'].map((quant) => ['pull', `o/tiny-GGUF:${quant}`]));
    expect(await blobs('o/tiny-GGUF')).toHaveLength(2);
    const [refused, all] = await runCommands([
      ['rm', 'o/tiny-GGUF:Q8_0'],
      ['list', '--json'],
    ]);
    expect(refused!.code).toBe(3);
    expect(refused!.stderr).toMatch(/Nothing was deleted.*--yes/);
    expect(JSON.parse(all!.stdout).models).toHaveLength(3);

    // Q4_K_M has the very contents of Q8_0 here: they stay.
    const [first, works, second, left, last] = await runCommands([
      ['rm', '--yes', 'o/tiny-GGUF:q8_0', '--json'],
      ['tokenize', 'o/tiny-GGUF:Q4_K_M', '--text', 'a'],
      ['rm', '-y', 'o/tiny-GGUF:Q4_K_M', '--json'],
      ['list', '--json'],
      ['rm', '-y', 'hf.co/o/tiny-GGUF'],
    ]);
    expect(JSON.parse(first!.stdout)).toEqual({ removed: [{ name: 'o/tiny-GGUF:Q8_0', files: 1, freedBytes: 0 }] });
    expect(works!.code).toBe(0);
    expect(JSON.parse(second!.stdout).removed[0].freedBytes).toBe(q8.length);
    expect(JSON.parse(left!.stdout).models).toMatchObject([{ name: 'o/tiny-GGUF:BF16' }]);
    expect(last!.code).toBe(0);
    expect(await readdir(cache)).toEqual([]);
  });

  it('keeps what a created model was made of, until that goes too', async () => {
    const file = join(dir, 'Modelfile');
    await writeFile(file, 'FROM o/tiny-GGUF:Q8_0\nSYSTEM You are small.\nPARAMETER stop "."\n');
    const [made, refused, listed, both, left] = await runCommands([
      ['create', 'o/small:v1', '-f', file, '--json'],
      ['rm', '-y', 'hf.co/o/tiny-GGUF'],
      ['list', '--json'],
      ['rm', '-y', 'o/tiny-GGUF:Q8_0', 'o/small:v1', '--json'],
      ['list', '--json'],
    ]);
    expect(JSON.parse(made!.stdout)).toMatchObject({ name: 'o/small:v1', weights: { reference: 'o/tiny-GGUF:Q8_0' } });
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/need it: o\/small:v1/) });
    const names = JSON.parse(listed!.stdout).models.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['o/tiny-GGUF:Q8_0', 'o/small:v1']);
    expect(JSON.parse(both!.stdout).removed).toHaveLength(2);
    expect(JSON.parse(left!.stdout).models).toEqual([]);
  });

  it('never follows a name out of the cache, and helps with a mistyped one', async () => {
    const outside = join(dir, 'outside.gguf');
    await writeFile(outside, q8);
    const [, typo, file, above, all] = await runCommands([
      ['pull', 'o/tiny'],
      ['rm', '-y', 'o/tinny'],
      ['rm', '-y', outside],
      ['rm', '-y', '../outside.gguf'],
      ['list', '--json'],
    ]);
    expect(typo!.stderr).toMatch(/no model "o\/tinny" in the cache\. Did you mean o\/tiny\?/);
    expect(file).toMatchObject({ code: 2 });
    expect(above!.code).toBe(1);
    expect(existsSync(outside)).toBe(true);
    expect(JSON.parse(all!.stdout).models).toHaveLength(1);
  });
});
