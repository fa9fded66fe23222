import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { awqFolder } from '../../../test/packed-folder.ts';
import { openGgufModel } from './gguf-model.ts';
import { openHfCheckpoint } from './hf-checkpoint.ts';
import { locateCheckpoint } from './locate.ts';

const models = fileURLToPath(new URL('../../../test/models', import.meta.url));
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quern-checkpoint-'));
  await cp(join(models, 'arch/qwen2'), dir, { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

describe('openHfCheckpoint', () => {
  it('shows config, tensors and rows as the files hold them', async () => {
    const checkpoint = await openHfCheckpoint(dir);
    expect(checkpoint.config.hidden_size).toBe(64);
    const norm = checkpoint.tensors.get('model.norm.weight');
    expect(norm).toMatchObject({ shape: [64], rows: 1, cols: 64, rowBytes: 128, file: join(dir, 'model.safetensors') });
    const embedding = checkpoint.tensors.get('model.embed_tokens.weight');
    if (!embedding) throw new Error('no embeddings');
    expect(embedding).toMatchObject({ shape: [512, 64], rows: 512, cols: 64, rowBytes: 128 });
    const rows = new Uint8Array(2 * 128);
    await embedding.readRows(3, 2, rows);
    const file = await readFile(join(dir, 'model.safetensors'));
    expect(Buffer.compare(rows, file.subarray(embedding.offset + 3 * 128, embedding.offset + 5 * 128))).toBe(0);
    await expect(embedding.readRows(511, 2, rows)).rejects.toMatchObject({ code: 'rows-out-of-range' });
    await expect(embedding.readRows(0, 1, rows)).rejects.toMatchObject({ code: 'rows-out-of-range' });
    await checkpoint.close();
  });

  it('reads side files of the folder and nothing outside it', async () => {
    const checkpoint = await openHfCheckpoint(dir);
    expect(await checkpoint.readText('tokenizer_config.json')).toContain('PreTrainedTokenizerFast');
    expect(await checkpoint.readText('tokenizer.model')).toBeUndefined();
    await mkdir(join(dir, 'sub'));
    expect(await checkpoint.readBytes('sub')).toBeUndefined();
    for (const name of ['../config.json', 'sub/x', '..', '.', '', 'a\\b', 'c:x', 'x\0']) {
      await expect(checkpoint.readBytes(name)).rejects.toMatchObject({ code: 'checkpoint-bad-name' });
    }
    await writeFile(join(dir, 'latin.txt'), new Uint8Array([0xe9, 0x20]));
    await expect(checkpoint.readText('latin.txt')).rejects.toMatchObject({ code: 'checkpoint-not-utf8' });
    await checkpoint.close();
  });

  it.each([
    ['no JSON', '<html>', 'checkpoint-bad-config'],
    ['half of it', '{"a": ', 'checkpoint-bad-config'],
    ['a list', '[]', 'checkpoint-bad-config'],
    ['null', 'null', 'checkpoint-bad-config'],
    ['nothing', '', 'checkpoint-bad-config'],
    ['no text', new Uint8Array([0xff, 0xfe]), 'checkpoint-not-utf8'],
    ['very long', ' '.repeat(17 * 2 ** 20), 'checkpoint-file-too-large'],
  ])('refuses a config.json that is %s', async (_, content, code) => {
    await writeFile(join(dir, 'config.json'), content);
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code, file: join(dir, 'config.json') });
  });

  it('refuses a folder without config.json, without weights, or with a shard missing', async () => {
    await rm(join(dir, 'model.safetensors'));
    await rm(join(dir, 'expected.safetensors'));
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'checkpoint-no-weights' });
    const index = { weight_map: { 'model.norm.weight': 'model-00001-of-00001.safetensors' } };
    await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify(index));
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'safetensors-shard-missing' });
    await rm(join(dir, 'config.json'));
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'checkpoint-no-config', file: dir });
  });
});

describe('openGgufModel', () => {
  it('reads the rows of every type as the file holds them', async () => {
    const path = join(models, 'arch/llama3/llama.cpp-q8_0.gguf');
    const view = await openGgufModel(path);
    const tensor = view.tensors.get('blk.0.ffn_down.weight');
    if (!tensor) throw new Error('no tensor');
    expect(tensor).toMatchObject({ shape: [64, 128], rows: 64, cols: 128, rowBytes: 4 * 34, file: path });
    expect(tensor.dtype.name).toBe('Q8_0');
    const row = new Uint8Array(tensor.rowBytes);
    await tensor.readRows(63, 1, row);
    const file = await readFile(path);
    expect(Buffer.compare(row, file.subarray(tensor.offset + 63 * 136, tensor.offset + 64 * 136))).toBe(0);
    await view.close();
  });
});

// What AutoGPTQ and AutoAWQ wrote before transformers read quantization_config.
describe('a checkpoint in an old spelling', () => {
  const gptqName = 'gptq_model-4bit-128g.safetensors';
  let config: Record<string, unknown>;
  const put = (name: string, content: unknown) => writeFile(join(dir, name), JSON.stringify(content));
  beforeEach(async () => {
    await rm(dir, { recursive: true });
    await cp(join(models, 'packed/gptq'), dir, { recursive: true });
    config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
  });
  /** The settings move to a file of their own, where they do not name the method. */
  const moveSettings = async (name: string) => {
    const { quantization_config: settings, ...rest } = config;
    const { quant_method: _, ...own } = settings as Record<string, unknown>;
    await put('config.json', rest);
    await put(name, { ...own, damp_percent: 0.01, model_name_or_path: null });
  };
  const weightOf = async (path: string) => {
    const { tensors, packing, close } = await openHfCheckpoint(path);
    const tensor = tensors.get('model.layers.3.mlp.up_proj.weight')!;
    const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
    await tensor.readRows(0, tensor.rows, bytes);
    await close();
    return { packing, format: tensor.packed?.format, bytes };
  };

  it('has its settings in quantize_config.json, and weights of another name', async () => {
    await moveSettings('quantize_config.json');
    await rename(join(dir, 'model.safetensors'), join(dir, gptqName));
    expect(await locateCheckpoint(dir)).toEqual({ path: dir, kind: 'hf' });
    expect(await weightOf(dir)).toEqual(await weightOf(join(models, 'packed/gptq')));
  });

  it('has shards of another name', async () => {
    const shard = 'gptq_model-4bit-128g-00001-of-00001.safetensors';
    const { tensors, close } = await openSafetensors(await openFile(join(dir, 'model.safetensors')));
    await close();
    await put(`${gptqName}.index.json`, {
      weight_map: Object.fromEntries([...tensors.keys()].map((name) => [name, shard])),
    });
    await rename(join(dir, 'model.safetensors'), join(dir, shard));
    expect(await locateCheckpoint(dir)).toEqual({ path: dir, kind: 'hf' });
    expect(await weightOf(dir)).toEqual(await weightOf(join(models, 'packed/gptq')));
  });

  it('has the settings of AutoAWQ in quant_config.json', async () => {
    await rm(dir, { recursive: true });
    awqFolder(dir);
    const { quantization_config: settings, ...rest } = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
    await put('config.json', rest);
    const size = settings.group_size;
    await put('quant_config.json', { zero_point: true, q_group_size: size, w_bit: 4, version: 'GEMM' });
    const { packing, tensors, close } = await openHfCheckpoint(dir);
    expect(packing?.description).toBe(`AWQ gemm, 4 bits, groups of ${size}`);
    expect(tensors.get('model.layers.0.mlp.up_proj.weight')?.packed?.format).toBe('awq-gemm');
    await close();
  });

  it('says what config.json says, where both speak', async () => {
    await put('quantize_config.json', { bits: 3, group_size: 7 });
    expect((await weightOf(dir)).format).toBe('gptq');
  });

  it('is refused when several files could hold its weights', async () => {
    await rename(join(dir, 'model.safetensors'), join(dir, gptqName));
    await cp(join(dir, gptqName), join(dir, 'other.safetensors'));
    const error = await openHfCheckpoint(dir).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'checkpoint-ambiguous', file: dir });
    expect(error.describe()).toMatch(`${gptqName}, other.safetensors`);
  });

  it("is not opened by an adapter, Mistral's own file without params.json, or one of two shards", async () => {
    await rm(join(dir, 'model.safetensors'));
    await put('consolidated.safetensors', {});
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'checkpoint-no-config' });
    await rm(join(dir, 'consolidated.safetensors'));
    await put('consolidated.00.pth', {});
    await expect(locateCheckpoint(dir)).rejects.toMatchObject({ code: 'checkpoint-unsupported-weights' });
    await put('x-00001-of-00002.safetensors', {});
    for (const open of [openHfCheckpoint, locateCheckpoint])
      await expect(open(dir)).rejects.toMatchObject({ code: 'checkpoint-shard-missing' });
    await rm(join(dir, 'x-00001-of-00002.safetensors'));
    await put('adapter_model.safetensors', {});
    for (const open of [openHfCheckpoint, locateCheckpoint])
      await expect(open(dir)).rejects.toMatchObject({ code: 'checkpoint-adapter-only' });
  });

  it.each([
    ['a field that is wrong', { bits: 5, group_size: 32 }, 'packed-config-invalid'],
    ['settings that the tensors contradict', { bits: 4, group_size: 64 }, 'packed-part-shape'],
    ['a method that packs otherwise', { quant_method: 'awq', bits: 4, group_size: 16 }, 'packed-part-shape'],
    ['no object', [], 'checkpoint-bad-config'],
  ])('is refused with %s', async (_, settings, code) => {
    await moveSettings('quantize_config.json');
    await put('quantize_config.json', settings);
    const file = code === 'packed-part-shape' ? 'model.safetensors' : 'quantize_config.json';
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code, file: join(dir, file) });
  });

  it('is refused with plain weights, and with the settings of two programs', async () => {
    await moveSettings('quantize_config.json');
    await cp(join(models, 'arch/qwen2/model.safetensors'), join(dir, 'model.safetensors'));
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({
      code: 'packed-nothing-packed',
      file: join(dir, 'quantize_config.json'),
    });
    await put('quant_config.json', { w_bit: 4, q_group_size: 128 });
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'packed-config-conflict', file: dir });
  });
});
