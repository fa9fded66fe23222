import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openGgufModel } from './gguf-model.ts';
import { openHfCheckpoint } from './hf-checkpoint.ts';

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
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'safetensors-no-weights' });
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
