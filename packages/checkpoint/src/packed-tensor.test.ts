// Packed checkpoints, made by other programs, against the weights that they say they hold.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codecOf } from '@quern/blocks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openHfCheckpoint } from './hf-checkpoint.ts';
import type { TensorView } from './model-view.ts';

const models = join(import.meta.dirname, '../../../test/models');
const packed = join(models, 'packed');
const expected: Record<string, Record<string, string>> = JSON.parse(
  readFileSync(join(packed, 'expected.json'), 'utf8'),
);

async function bytesOf(tensor: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return bytes;
}

async function valuesOf(tensor: TensorView): Promise<Float32Array> {
  const values = new Float32Array(tensor.rows * tensor.cols);
  codecOf(tensor.dtype).decode(await bytesOf(tensor), values);
  return values;
}

const forms: Record<string, string> = {
  gptq: 'Q4_0 same',
  'gptq-act-order': '',
  'compressed-tensors': 'Q4_1 scales-rounded, Q5_0 same',
  mlx: 'Q4_1 same',
  fp8: '',
  mxfp4: 'MXFP4 same',
};

describe.each(Object.keys(expected))('%s', (folder) => {
  it('has the unpacked weights in place of their parts', async () => {
    const checkpoint = await openHfCheckpoint(join(packed, folder));
    const plain = await openHfCheckpoint(join(models, 'arch/llama3'));
    const names = [...checkpoint.tensors.keys()].filter((name) => !name.endsWith('_proj.bias'));
    expect(names.sort()).toEqual([...plain.tensors.keys()].sort());
    expect(checkpoint.notes).toEqual([]);
    const hashes: Record<string, string> = {};
    for (const [name, tensor] of checkpoint.tensors) {
      expect(tensor.shape).toEqual(plain.tensors.get(name)?.shape ?? tensor.shape);
      if (!tensor.packed) continue;
      expect(tensor.dtype.name).toBe('F32');
      hashes[name] = createHash('sha256')
        .update(await bytesOf(tensor))
        .digest('hex');
    }
    expect(hashes).toEqual(expected[folder]);
    await Promise.all([checkpoint.close(), plain.close()]);
  });

  it('has the ggml types that hold its codes', async () => {
    const checkpoint = await openHfCheckpoint(join(packed, folder));
    for (const tensor of checkpoint.tensors.values()) {
      if (!tensor.packed) continue;
      const { exact, storedBytes } = tensor.packed;
      expect(exact.map(({ dtype, values }) => `${dtype.name} ${values}`).join(', ')).toBe(forms[folder]);
      expect(storedBytes).toBeLessThan(tensor.rows * tensor.rowBytes * 0.4);
      const values = await valuesOf(tensor);
      for (const form of exact) {
        const same = await valuesOf(form.view);
        if (form.values === 'same') expect(same).toEqual(values);
        else {
          // An offset of at most 15 · scale is rounded to 11 bits.
          const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          const error = same.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0);
          expect(error).toBeGreaterThan(0);
          expect(error).toBeLessThan(largest * 2 ** -10);
        }
      }
    }
    await checkpoint.close();
  });

  it('gives any rows, at any place in memory', async () => {
    const checkpoint = await openHfCheckpoint(join(packed, folder));
    const tensor = checkpoint.tensors.get('model.layers.1.mlp.down_proj.weight')!;
    const all = await bytesOf(tensor);
    for (const [first, count, place] of [
      [0, 1, 0],
      [63, 1, 1],
      [17, 30, 2],
      [5, 0, 4],
    ] as const) {
      const memory = new Uint8Array(place + count * tensor.rowBytes);
      await tensor.readRows(first, count, memory.subarray(place));
      const { rowBytes } = tensor;
      expect(Buffer.compare(memory.subarray(place), all.subarray(first * rowBytes, (first + count) * rowBytes))).toBe(
        0,
      );
    }
    await expect(tensor.readRows(64, 1, new Uint8Array(tensor.rowBytes))).rejects.toMatchObject({
      code: 'rows-out-of-range',
      tensor: tensor.name,
    });
    await checkpoint.close();
  });
});

it('weights of torch.save are those of safetensors', async () => {
  const [torch, plain] = await Promise.all(
    [join(packed, 'torch-sharded'), join(models, 'arch/llama3')].map((folder) => openHfCheckpoint(folder)),
  );
  expect([...torch!.tensors.keys()].sort()).toEqual([...plain!.tensors.keys()].sort());
  for (const [name, tensor] of plain!.tensors)
    expect(await bytesOf(torch!.tensors.get(name)!)).toEqual(await bytesOf(tensor));
  await Promise.all([torch!.close(), plain!.close()]);
});

describe('a folder', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quern-packed-'));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const copy = (folder: string) => cp(join(packed, folder), dir, { recursive: true });
  const configure = async (change: (config: { quantization_config?: Record<string, unknown> }) => void) => {
    const config = JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'));
    change(config);
    await writeFile(join(dir, 'config.json'), JSON.stringify(config));
  };

  it.each<[string, string, (config: { quantization_config?: Record<string, unknown> }) => void, string, string]>([
    [
      'a group size that the tensors contradict',
      'gptq',
      (config) => void (config.quantization_config!.group_size = 64),
      'packed-part-shape',
      'model.safetensors',
    ],
    [
      'a method that is not known',
      'gptq',
      (config) => void (config.quantization_config!.quant_method = 'magic'),
      'packed-method-unknown',
      'config.json',
    ],
    [
      'a method that these weights are not packed by',
      'gptq',
      (config) => void (config.quantization_config = { quant_method: 'fp8', weight_block_size: [32, 32] }),
      'packed-nothing-packed',
      'config.json',
    ],
    [
      'more bits than any format has',
      'gptq',
      (config) => void (config.quantization_config!.bits = 64),
      'packed-config-invalid',
      'config.json',
    ],
  ])('with %s is refused, file named', async (_, folder, change, code, file) => {
    await copy(folder);
    await configure(change);
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code, file: join(dir, file) });
  });

  it('cut short is refused', async () => {
    await copy('gptq');
    const bytes = readFileSync(join(dir, 'model.safetensors'));
    await writeFile(join(dir, 'model.safetensors'), bytes.subarray(0, -1));
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code: 'safetensors-truncated' });
  });

  it('with weights of both kinds has its safetensors', async () => {
    await copy('torch-sharded');
    await cp(join(models, 'arch/qwen2/model.safetensors'), join(dir, 'model.safetensors'));
    const { tensors, close } = await openHfCheckpoint(dir);
    expect([...tensors.values()][0]!.file).toBe(join(dir, 'model.safetensors'));
    await close();
  });

  it.each([
    ['a shard missing', () => rm(join(dir, 'pytorch_model-00002-of-00002.bin')), 'torch-shard-missing'],
    [
      'a shard twice',
      () => cp(join(dir, 'pytorch_model-00001-of-00002.bin'), join(dir, 'pytorch_model-00002-of-00002.bin')),
      'torch-tensor-in-two-shards',
    ],
    [
      'an index that is none',
      () => writeFile(join(dir, 'pytorch_model.bin.index.json'), '{"weight_map": {}}'),
      'torch-bad-index',
    ],
    [
      'an index that leaves the folder',
      () => writeFile(join(dir, 'pytorch_model.bin.index.json'), '{"weight_map": {"a": "../x.bin"}}'),
      'torch-bad-shard-name',
    ],
    [
      'an index that knows less',
      () =>
        writeFile(
          join(dir, 'pytorch_model.bin.index.json'),
          '{"weight_map": {"model.norm.weight": "pytorch_model-00002-of-00002.bin"}}',
        ),
      'torch-tensor-not-in-index',
    ],
    [
      'one file of a web page',
      () => writeFile(join(dir, 'pytorch_model.bin'), '<!doctype html>'),
      'torch-not-recognized',
    ],
  ])('of torch.save with %s is refused', async (_, change, code) => {
    await copy('torch-sharded');
    await change();
    await expect(openHfCheckpoint(dir)).rejects.toMatchObject({ code, file: expect.stringContaining(dir) });
  });

  it('of one file of torch.save opens', async () => {
    await copy('torch-sharded');
    await rename(join(dir, 'pytorch_model-00001-of-00002.bin'), join(dir, 'pytorch_model.bin'));
    const { tensors, close } = await openHfCheckpoint(dir);
    expect(tensors.size).toBe(20);
    await close();
  });
});
