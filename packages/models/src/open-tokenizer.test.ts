// Tokenizers of models that quern does not run, and of repositories whose weights nobody wants. The ids of GGUF
// vocabularies are those that llama.cpp ships beside them.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPlace, type PlaceOptions } from '@quern/checkpoint';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoopbackHub, startLoopbackHub } from '../../../test/loopback-hub.ts';
import { openTokenizer } from './open-tokenizer.ts';

const models = join(import.meta.dirname, '../../../test/models');
const vocabularies = join(process.env.QUERN_DATA ?? join(import.meta.dirname, '../../../../shared/data'), 'vocab');

let dir: string;
let hub: LoopbackHub | undefined;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-tokenizer-'));
});
afterEach(async () => {
  await hub?.close();
  hub = undefined;
  await rm(dir, { recursive: true });
});

const open = async (ref: string, options: PlaceOptions = {}) => openTokenizer(await findPlace(ref, options));
const ids = async (ref: string, text: string) => [...(await open(ref)).tokenizer.encode(text, { parseSpecial: true })];

const files = await readdir(vocabularies).catch(() => [] as string[]);
if (files.length === 0) console.warn(`no vocabularies in ${vocabularies}: those of other architectures are not tried`);
describe.skipIf(files.length === 0)('a vocabulary of another architecture', () => {
  it.each(files.filter((name) => name.endsWith('.gguf')))('%s', async (name) => {
    const path = join(vocabularies, name);
    const { tokenizer } = await open(path);
    const texts = (await readFile(`${path}.inp`, 'utf8')).split('\n__ggml_vocab_test__\n');
    const expected = (await readFile(`${path}.out`, 'utf8')).split('\n');
    for (const [i, text] of texts.entries()) {
      const line = expected[i]!.trim();
      expect([...tokenizer.encode(text, { addSpecial: false })], text).toEqual(
        line === '' ? [] : line.split(/\s+/).map(Number),
      );
    }
  });
});

describe('a folder', () => {
  const recorded = async () => JSON.parse(await readFile(join(models, 'tiny-llama/expected/tokens.json'), 'utf8'));

  it.each([
    ['of a model that quern knows', ['tokenizer.json', 'config.json']],
    ['with tokenizer.json alone', ['tokenizer.json']],
  ])('%s', async (_, names) => {
    for (const name of names) await cp(join(models, 'tiny-llama', name), join(dir, name));
    for (const { text, ids: expected } of await recorded()) expect(await ids(dir, text)).toEqual(expected);
    expect(await ids(join(dir, 'tokenizer.json'), 'Hello')).toEqual(await ids(dir, 'Hello'));
  });

  it.each([
    ['of an unknown class', '{"architectures": ["GiraffeForCausalLM"], "vocab_size": 7}'],
    ['whose config.json is broken', '{"architectures"'],
  ])('%s', async (_, config) => {
    await cp(join(models, 'tiny-llama/tokenizer.json'), join(dir, 'tokenizer.json'));
    await writeFile(join(dir, 'config.json'), config);
    const [{ text, ids: expected }] = await recorded();
    expect(await ids(dir, text)).toEqual(expected);
  });

  it('without one says so', async () => {
    await writeFile(join(dir, 'README.md'), '');
    await expect(open(dir)).rejects.toMatchObject({ code: 'tokenizer-missing', file: dir });
    await cp(join(models, 'tiny-llama/model.safetensors'), join(dir, 'model.safetensors'));
    await expect(open(dir)).rejects.toMatchObject({ code: 'tokenizer-missing' });
    await expect(open(join(dir, 'model.safetensors'))).rejects.toMatchObject({ code: 'tokenizer-missing' });
  });

  it('that names a token far away is refused before it is filled up', async () => {
    const json = JSON.parse(await readFile(join(models, 'tiny-llama/tokenizer.json'), 'utf8'));
    json.added_tokens.push({ ...json.added_tokens[0], id: 4_000_000_000, content: 'far' });
    await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(json));
    await expect(open(dir)).rejects.toMatchObject({ code: 'tokenizer-vocab-too-large' });
  });
});

describe('of a repository on the hub', () => {
  const read = (name: string) => readFile(join(models, 'tiny-llama', name));
  const start = async (contents: Record<string, Uint8Array | string>) => {
    hub = await startLoopbackHub({ repositories: { 'o/m': contents } });
    return { endpoint: hub.endpoint, cacheDir: dir, offline: false };
  };
  const fetched = () => hub!.asked.filter((line) => line.includes('/resolve/'));

  it('nothing is fetched but the tokenizer', async () => {
    const options = await start({
      'config.json': await read('config.json'),
      'tokenizer.json': await read('tokenizer.json'),
      'generation_config.json': '{}',
      'model.safetensors': 'weights',
    });
    const { tokenizer } = await open('o/m', options);
    expect([...tokenizer.encode('Hello')]).toEqual(await ids(join(models, 'tiny-llama'), 'Hello'));
    expect(fetched().map((line) => line.split(' ')[0]!.split('/').at(-1))).toEqual(['config.json', 'tokenizer.json']);
  });

  it('of a GGUF file only the header is read', async () => {
    const gguf = await read('expected/llama.cpp-bf16.gguf');
    const options = await start({ 'm-BF16.gguf': gguf, 'm-Q8_0.gguf': gguf });
    const { tokenizer, bytesRead } = await open('o/m:bf16', options);
    expect([...tokenizer.encode('Hello')]).toEqual(await ids(join(models, 'tiny-llama'), 'Hello'));
    expect(bytesRead).toBeLessThan(gguf.length / 4);
    expect(await readdir(dir)).toEqual([]);
  });
});
