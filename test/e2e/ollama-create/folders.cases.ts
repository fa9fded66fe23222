// Models of several files that were sent: splits of a GGUF file, a checkpoint's folder. They answer as the model of the same weights, and
// what they quantize to is llama-quantize's.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openGgufModel } from '@quern/checkpoint';
import { type GgufMetadata, type GgufValue, GgufWriter, openGguf } from '@quern/gguf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyLlama } from '../serve-fixture.ts';
import {
  blobs,
  cache,
  client,
  create,
  digestOf,
  folder,
  greedy,
  hello,
  models,
  names,
  refusal,
  send,
  sent,
} from './fixture.ts';

type Files = Record<string, string>;
const folders = join(cache, 'quern--created/folders');
const inFolders = (): string[] => (existsSync(folders) ? readdirSync(folders) : []);

async function sendAll(files: Record<string, Uint8Array>): Promise<Files> {
  const told: Files = {};
  for (const [name, bytes] of Object.entries(files)) {
    told[name] = digestOf(bytes);
    await send(told[name], bytes);
  }
  return told;
}

const checkpoint = (): Promise<Files> =>
  sendAll(
    Object.fromEntries(
      [
        'config.json',
        'generation_config.json',
        'model.safetensors',
        'tokenizer.json',
        'tokenizer_config.json',
        'chat_template.jinja',
      ].map((name) => [name, readFileSync(join(tinyLlama, name))]),
    ),
  );

/** A file of its own metadata; of a split the tensors of its turn. */
async function written(
  name: string,
  entries: Record<string, GgufValue>,
  take: (at: number) => boolean,
): Promise<Buffer> {
  const whole = await openGguf(join(models, 'tiny.gguf'));
  const metadata: GgufMetadata = new Map(Object.entries(entries));
  if (take(0)) for (const [key, value] of whole.metadata) if (!metadata.has(key)) metadata.set(key, value);
  const tensors = [...whole.tensors].filter((_, at) => take(at));
  const path = join(folder, name);
  const writer = await GgufWriter.create(path, {
    metadata,
    tensors: tensors.map(([tensor, { dtype, shape }]) => ({ name: tensor, dtype, shape })),
  });
  for (const [tensor, { source, offset, byteLength }] of tensors)
    await writer.write(tensor, await source.read(offset, byteLength));
  await writer.finish();
  await whole.close();
  return readFileSync(path);
}

/** As llama-gguf-split cuts it in two. */
async function splits(): Promise<Record<string, Uint8Array>> {
  const whole = await openGguf(join(models, 'tiny.gguf'));
  const count = whole.tensors.size;
  await whole.close();
  const parts: Record<string, Uint8Array> = {};
  for (const no of [0, 1]) {
    const name = `tiny-0000${no + 1}-of-00002.gguf`;
    const split: Record<string, GgufValue> = {
      'split.no': { type: 'uint16', value: no },
      'split.count': { type: 'uint16', value: 2 },
      'split.tensors.count': { type: 'int32', value: count },
    };
    parts[name] = await written(name, split, (at) => (no === 0 ? at < 5 : at >= 5));
  }
  return parts;
}

const text = (value: string): GgufValue => ({ type: 'string', value });

describe('several files', () => {
  let split: Files;
  let hf: Files;
  let before: string[];
  let sentBefore: string[];
  beforeAll(async () => {
    before = await names();
    sentBefore = sent();
    split = await sendAll(await splits());
    hf = await checkpoint();
  });
  afterAll(async () => {
    expect(await names()).toEqual(before);
    expect(inFolders()).toEqual([]);
    // What nobody made a model of waits for a day.
    for (const name of sent()) if (!sentBefore.includes(name)) rmSync(join(blobs, name));
  });

  it('splits and a checkpoint answer as the model of the same weights', async () => {
    const statuses: string[] = [];
    // The client sends what it is given; its types know no files yet.
    const asked = { model: 'split', files: split, stream: true as const };
    for await (const { status } of await client.create(asked)) statuses.push(status);
    expect(statuses.at(-1)).toBe('success');
    await client.create({ model: 'folder', files: hf } as Parameters<typeof client.create>[0] & { stream?: false });
    const said = async (model: string) => (await client.chat({ model, messages: [hello], options: greedy })).message;
    const base = await said('tiny');
    expect(await said('split')).toEqual(base);
    expect(await said('folder')).toEqual(base);
    expect(inFolders()).toHaveLength(2);
    await client.copy({ source: 'folder', destination: 'second' });
    await client.delete({ model: 'folder' });
    expect(await said('second')).toEqual(base);
    for (const model of ['second', 'split']) await client.delete({ model });
    expect(inFolders()).toEqual([]);
    for (const sum of [...Object.values(split), ...Object.values(hf)])
      expect(sent()).not.toContain(sum.replace(':', '-'));
    split = await sendAll(await splits());
    hf = await checkpoint();
  });

  it('a checkpoint quantizes to the bytes of llama-quantize', async () => {
    const known = new Set(sent());
    expect((await create({ model: 'small', files: hf, quantize: 'q4_K_M' })).status).toBe(200);
    const [file] = sent().filter((name) => !known.has(name));
    const model = await openGgufModel(join(blobs, file!));
    const recorded = readFileSync(`${tinyLlama}/expected/quantize.tsv`, 'utf8').split('\n');
    const rows = recorded.map((row) => row.split('\t')).filter(([type, by]) => type === 'Q4_K_M' && by === 'none');
    expect(rows.length).toBe(model.tensors.size);
    for (const [, , name, , hash] of rows) {
      const tensor = model.tensors.get(name!)!;
      const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
      await tensor.readRows(0, tensor.rows, bytes);
      expect([name, createHash('sha256').update(bytes).digest('hex')]).toEqual([name, hash]);
    }
    await model.close();
    await client.delete({ model: 'small' });
  });

  it.each<[string, string, () => Files | Promise<Files>, RegExp]>([
    [
      'a way out of the folder',
      'files.../config.json',
      () => ({ ...hf, '../config.json': hf['config.json']! }),
      /no name of a file/,
    ],
    ['the root', 'files./etc/passwd', () => ({ ...hf, '/etc/passwd': hf['config.json']! }), /no name of a file/],
    [
      'a way out in the middle',
      'files.a/../../b',
      () => ({ ...hf, 'a/../../b': hf['config.json']! }),
      /no name of a file/,
    ],
    ['another system’s way', 'files.a\\..\\b', () => ({ ...hf, 'a\\..\\b': hf['config.json']! }), /no name of a file/],
    ['a drive', 'files.c:x', () => ({ ...hf, 'c:x': hf['config.json']! }), /no name of a file/],
    ['a device', 'files.aux.json', () => ({ ...hf, 'aux.json': hf['config.json']! }), /no name of a file/],
    ['two names in one', 'files', () => ({ ...hf, 'CONFIG.json': hf['config.json']! }), /cannot be in one folder/],
    ['a file as a folder', 'files', () => ({ ...hf, 'config.json/x': hf['config.json']! }), /cannot be in one folder/],
    [
      'what was not sent',
      'files.tokenizer.model',
      () => ({ ...hf, 'tokenizer.model': `sha256:${'4'.repeat(64)}` }),
      /Send it first/,
    ],
    [
      'a checkpoint without its configuration',
      'files',
      () => ({ 'model.safetensors': hf['model.safetensors']!, 'tokenizer.json': hf['tokenizer.json']! }),
      /config\.json/,
    ],
    [
      'a checkpoint without weights',
      'files',
      () => ({ 'config.json': hf['config.json']!, 'tokenizer.json': hf['tokenizer.json']! }),
      /weights|safetensors/,
    ],
    [
      'an adapter',
      'files.adapter_config.json',
      () => ({ 'adapter_config.json': hf['config.json']!, 'adapter_model.safetensors': hf['model.safetensors']! }),
      /convert-lora/,
    ],
    [
      'one split of two',
      'files',
      () => ({
        'tiny-00001-of-00002.gguf': split['tiny-00001-of-00002.gguf']!,
        'tiny-00003-of-00002.gguf': split['tiny-00002-of-00002.gguf']!,
        'b-00001-of-00002.gguf': split['tiny-00001-of-00002.gguf']!,
      }),
      /1 of the 2 splits/,
    ],
    [
      'two of everything',
      'files.model.safetensors',
      () => ({ ...split, 'model.safetensors': hf['model.safetensors']! }),
      /leave the others out/,
    ],
    [
      'too many',
      'files',
      () => Object.fromEntries(Array.from({ length: 1001 }, (_, at) => [`${at}.json`, hf['config.json']!])),
      /1001/,
    ],
  ])('%s is refused by name, and leaves nothing', async (_, param, files, error) => {
    const told = await refusal({ model: 'refused', files: await files() });
    expect(told).toMatchObject({ status: 400, param, error: expect.stringMatching(error) });
    expect(JSON.stringify(told)).not.toContain(folder);
    expect(inFolders()).toEqual([]);
  });

  it('a projector beside a model, or alone, is refused by its name, with what to do', async () => {
    const entries = { 'general.architecture': text('clip'), 'general.type': text('mmproj') };
    const projector = await sendAll({ 'mmproj-tiny.gguf': await written('mmproj.gguf', entries, (at) => at === 1) });
    const tiny = await sendAll({ 'tiny.gguf': readFileSync(join(models, 'tiny.gguf')) });
    expect(await refusal({ model: 'seeing', files: { ...tiny, ...projector } })).toMatchObject({
      ...{ status: 400, param: 'files.mmproj-tiny.gguf', error: expect.stringMatching(/projector.*Leave it out/) },
    });
    expect(await refusal({ model: 'seeing', files: projector })).toMatchObject({
      ...{ status: 400, error: expect.stringMatching(/projector/) },
    });
    const renamed = { 'a.gguf': tiny['tiny.gguf']!, 'b.gguf': split['tiny-00001-of-00002.gguf']! };
    expect(await refusal({ model: 'two', files: renamed })).toMatchObject({ status: 400 });
    const two = { ...tiny, 'other.gguf': tiny['tiny.gguf']! };
    expect(await refusal({ model: 'two', files: two })).toMatchObject({
      status: 400,
      error: expect.stringMatching(/2 models: other\.gguf, tiny\.gguf/),
    });
    expect(inFolders()).toEqual([]);
  });
});
