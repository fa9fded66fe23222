// Whole runs on tiny models: what is written is opened again by checkpoint, in every format, and read as a model.
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codecOf } from '@quern/blocks';
import type { ModelView } from '@quern/checkpoint';
import { openModel } from '@quern/models';
import { packers } from '@quern/packed';
import { cpuDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { readFloats } from '../layer/layer-weights.ts';
import { foundModel, modelPath, temporaryFolder } from '../testing/temporary-folder.ts';
import { prepare, type QuantizeRequest } from './prepare.ts';
import { quantizeModel } from './quantize-model.ts';

const dir = await temporaryFolder();
const threads = 1;
const sequences = Array.from({ length: 3 }, (_, s) =>
  Int32Array.from({ length: 48 }, (_, i) => (s * 97 + i * i * 13 + 5 * i + 3) % 400),
);
const base = { bits: 4, groupSize: 32, symmetric: false };
const rtn: QuantizeRequest = { ...base, format: 'awq', method: { name: 'rtn' }, sequences: [] };
const awq: QuantizeRequest = { ...base, format: 'awq', method: { name: 'awq', clip: true }, sequences };
const gptq: QuantizeRequest = {
  ...base,
  format: 'gptq',
  method: { name: 'gptq', actOrder: false, damp: 0.01 },
  sequences,
};

async function weightsOf(view: ModelView, name: string): Promise<Float32Array> {
  const tensor = view.tensors.get(name)!;
  if (!tensor.packed) return readFloats(tensor);
  const values = new Float32Array(tensor.rows * tensor.cols);
  await tensor.readRows(0, tensor.rows, new Uint8Array(values.buffer));
  return values;
}

/** ‖a − b‖ / ‖b‖ */
function distance(a: Float32Array, b: Float32Array): number {
  let error = 0;
  let size = 0;
  for (const [i, value] of b.entries()) {
    error += (a[i]! - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(error / size);
}

async function bytesOf(folder: string): Promise<Map<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

describe.each([...packers.keys()])('round to nearest as %s', (format) => {
  it.each(['arch/llama3', 'arch/qwen2moe'])('of %s is read back', async (model) => {
    const view = await openModel(modelPath(model));
    const out = join(dir, `rtn-${format}-${model.replace('/', '-')}`);
    const symmetric = format === 'modelopt';
    const summary = await quantizeModel(view, out, { ...rtn, format, symmetric }, { threads });
    const read = await openModel(out);
    expect([...read.tensors.keys()].sort()).toEqual([...view.tensors.keys()].sort());
    let packed = 0;
    for (const [name, tensor] of read.tensors) {
      const error = distance(await weightsOf(read, name), await weightsOf(view, name));
      // 15 steps over a group of normal weights: some 8 % of their size.
      expect(error, name).toBeLessThan(tensor.packed ? 0.13 : 1e-3);
      if (tensor.packed) packed++;
    }
    expect(packed).toBe(summary!.quantizedTensors);
    await view.close();
    await read.close();
  });
});

describe('a folder', () => {
  it('has the tokenizer and generation files of the checkpoint, and its config with the packing', async () => {
    const view = await openModel(modelPath('tiny-llama'));
    const out = join(dir, 'side-files');
    await quantizeModel(view, out, { ...rtn, groupSize: 128 }, { threads });
    const files = await bytesOf(out);
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja'])
      expect(files.get(name)).toEqual(await readFile(join(modelPath('tiny-llama'), name)));
    const config = JSON.parse(String(files.get('config.json')));
    expect(config).toMatchObject({ model_type: 'llama', hidden_size: 256, dtype: 'float16' });
    expect(config.quantization_config).toEqual({
      ...{ quant_method: 'awq', version: 'gemm', bits: 4, group_size: 128, zero_point: true },
      modules_to_not_convert: null,
    });
    await view.close();
  });

  it.each([
    ['arch/llama3', 'tied'],
    ['arch/mistral', 'stored'],
  ])('of %s leaves the head out by name: it is %s', async (model) => {
    const view = await openModel(modelPath(model));
    for (const format of ['compressed-tensors', 'modelopt']) {
      const out = join(dir, `head-${format}-${model.replace('/', '-')}`);
      await quantizeModel(view, out, { ...rtn, format, symmetric: undefined }, { threads });
      const config = JSON.parse(String((await bytesOf(out)).get('config.json')));
      expect(config.quantization_config.ignore).toEqual(['lm_head']);
    }
    await view.close();
  });

  it('has as tensors what GGUF has as lists among its metadata', async () => {
    const view = await openModel(modelPath('arch/apertus'));
    const out = join(dir, 'listed');
    await quantizeModel(view, out, rtn, { threads });
    const read = await openModel(out);
    for (const key of ['xielu.alpha_n', 'xielu.alpha_p', 'xielu.beta'])
      expect(read.metadata.get(key), key).toEqual(view.metadata.get(key));
    await Promise.all([view.close(), read.close()]);
  });

  const drafting = foundModel('arch/mimo2');
  it.skipIf(drafting === undefined)('has the draft blocks as they are, and blocks of both kinds', async () => {
    const view = await openModel(drafting!);
    const out = join(dir, 'drafts');
    await quantizeModel(view, out, rtn, { threads });
    const read = await openModel(out);
    expect([...read.tensors.keys()].sort()).toEqual([...view.tensors.keys()].sort());
    const draft = 'blk.4.nextn.eh_proj.weight';
    expect(distance(await weightsOf(read, draft), await weightsOf(view, draft))).toBeLessThan(1e-3);
    const packed = (name: string) => read.tensors.get(name)!.packed !== undefined;
    expect(['blk.0.ffn_down.weight', 'blk.1.ffn_down_exps.weight', draft].map(packed)).toEqual([true, true, false]);
    await Promise.all([view.close(), read.close()]);
  });

  it('as mlx packs embedding and head too', async () => {
    const view = await openModel(modelPath('arch/mistral'));
    const out = join(dir, 'mlx-embedding');
    await quantizeModel(view, out, { ...rtn, format: 'mlx' }, { threads });
    const read = await openModel(out);
    for (const name of ['token_embd.weight', 'output.weight']) {
      expect(read.tensors.get(name)!.packed?.format).toBe('mlx');
      expect(distance(await weightsOf(read, name), await weightsOf(view, name))).toBeLessThan(0.13);
    }
    await view.close();
    await read.close();
  });

  it('says before the work when the text is too short for GPTQ', async () => {
    const view = await openModel(modelPath('arch/llama3'));
    const notes: string[] = [];
    const short = { ...gptq, sequences: sequences.slice(1) };
    for (const [name, request] of [
      ['short', short],
      ['no', awq],
    ] as const)
      await quantizeModel(view, join(dir, name), request, {
        threads,
        dryRun: true,
        onNote: (note) => notes.push(note),
      });
    expect(notes).toEqual([
      expect.stringMatching(/GPTQModel/),
      expect.stringMatching(/^96 calibration tokens are few for rows of 128 weights.* at least 512/),
    ]);
    await view.close();
  });

  it('can be made of a GGUF file', async () => {
    const hf = await openModel(modelPath('arch/llama3'));
    const gguf = await openModel(join(modelPath('arch/llama3'), 'llama.cpp-bf16.gguf'));
    const out = join(dir, 'from-gguf');
    await quantizeModel(gguf, out, rtn, { threads });
    const read = await openModel(out);
    for (const name of ['blk.0.attn_q.weight', 'blk.1.attn_k.weight', 'blk.3.ffn_down.weight'])
      expect(distance(await weightsOf(read, name), await weightsOf(hf, name))).toBeLessThan(0.13);
    for (const view of [hf, gguf, read]) await view.close();
  });
});

describe('runs that were stopped', () => {
  it.each([
    ['awq', awq],
    ['gptq', gptq],
    ['gptq as mlx', { ...gptq, format: 'mlx' }],
    ['gptq as modelopt', { ...gptq, format: 'modelopt', symmetric: true }],
    ['gptq by importance', { ...gptq, format: 'gptq_v2', method: { ...gptq.method, actOrder: true } }],
  ] as [string, QuantizeRequest][])('go on where they were: %s has the same bytes', async (name, request) => {
    const view = await openModel(modelPath('arch/llama3'));
    const whole = join(dir, `${name}-whole`);
    const stopped = join(dir, `${name}-stopped`);
    await quantizeModel(view, whole, request, { threads });
    const controller = new AbortController();
    const reason = new Error('stop');
    const onLayer = ({ block }: { block: number }) => block === 1 && controller.abort(reason);
    const { signal } = controller;
    await expect(quantizeModel(view, stopped, request, { threads, signal, onLayer })).rejects.toBe(reason);
    await expect(readdir(stopped)).rejects.toMatchObject({ code: 'ENOENT' });
    const summary = await quantizeModel(view, stopped, request, { threads });
    expect(summary).toMatchObject({ resumedBlocks: 2 });
    expect(await bytesOf(stopped)).toEqual(await bytesOf(whole));
    await view.close();
  });

  it('are not continued with other settings, text or model', async () => {
    const view = await openModel(modelPath('arch/llama3'));
    const out = join(dir, 'changed');
    const controller = new AbortController();
    const onLayer = () => controller.abort(new Error('stop'));
    await quantizeModel(view, out, awq, { threads, signal: controller.signal, onLayer }).catch(() => {});
    const others: QuantizeRequest[] = [
      { ...awq, method: { name: 'awq', clip: false } },
      { ...awq, sequences: sequences.slice(1) },
      { ...awq, method: { name: 'rtn' }, sequences: [] },
    ];
    for (const other of others)
      await expect(quantizeModel(view, out, other, { threads })).rejects.toMatchObject({
        code: 'refused-other-settings',
      });
    await view.close();
  });
});

describe('is refused before any work:', () => {
  it.each<[string, Partial<QuantizeRequest>, object]>([
    [
      'a group size that does not divide',
      { groupSize: 128 },
      { code: 'group-size-indivisible', tensor: 'blk.0.attn_q.weight' },
    ],
    ['a format that does not exist', { format: 'exl2' }, { code: 'pack-format-unknown' }],
    ['bits that the format lacks', { bits: 3 }, { code: 'pack-unsupported' }],
    ['zero points in modelopt', { format: 'modelopt' }, { code: 'pack-unsupported' }],
  ])('%s', async (name, change, error) => {
    const view = await openModel(modelPath('arch/llama3'));
    const out = join(dir, name);
    await expect(quantizeModel(view, out, { ...awq, ...change }, { threads })).rejects.toMatchObject(error);
    await expect(readdir(`${out}.partial`)).rejects.toMatchObject({ code: 'ENOENT' });
    await view.close();
  });

  it('a block that the device cannot hold in F32', async () => {
    const view = await openModel(modelPath('arch/llama3'));
    const device = await cpuDevice({ threads: 1, memoryBytes: 2 ** 16 });
    await expect(prepare(view, device, awq)).rejects.toMatchObject({ code: 'model-too-large' });
    // Rounding needs no device.
    expect((await prepare(view, device, rtn)).needs).toMatchObject({ deviceBytes: 0, seconds: 0 });
    await device.dispose();
    await view.close();
  });

  it('an output that exists', async () => {
    const view = await openModel(modelPath('arch/llama3'));
    await expect(quantizeModel(view, modelPath('arch'), rtn, { threads })).rejects.toMatchObject({
      code: expect.stringMatching(/^refused-output/),
    });
    await view.close();
  });

  it('a dry run writes nothing and tells what it takes', async () => {
    const view = await openModel(modelPath('arch/llama3'));
    const needs: object[] = [];
    const onPreflight = (told: object) => needs.push(told);
    expect(await quantizeModel(view, join(dir, 'dry'), awq, { threads, dryRun: true, onPreflight })).toBeUndefined();
    expect(needs).toEqual([
      expect.objectContaining({
        hostBytes: expect.any(Number),
        outputBytes: expect.any(Number),
        seconds: expect.any(Number),
      }),
    ]);
    await expect(readdir(join(dir, 'dry.partial'))).rejects.toMatchObject({ code: 'ENOENT' });
    await view.close();
  });
});

describe('NaN', () => {
  /** A copy of the model with one value of a tensor replaced. */
  async function damaged(tensor: string, value: number): Promise<string> {
    const copy = join(dir, `damaged-${tensor}`);
    await cp(modelPath('arch/llama3'), copy, { recursive: true });
    const view = await openModel(modelPath('arch/llama3'));
    const { offset, dtype } = view.tensors.get(tensor)!;
    const path = join(copy, 'model.safetensors');
    const bytes = await readFile(path);
    const stored = new Uint8Array(dtype.typeSize);
    codecOf(dtype).encode(Float32Array.of(value), stored, 1);
    bytes.set(stored, offset);
    await writeFile(path, bytes);
    await view.close();
    return copy;
  }

  it.each([
    ['in a weight', 'blk.1.ffn_up.weight', Number.NaN, 'blk.1.ffn_up.weight'],
    ['in a norm', 'blk.2.attn_norm.weight', Number.NaN, 'blk.2.attn_norm.weight'],
    // Large enough for the product to overflow, though every weight is a number.
    ['of an overflow', 'blk.0.ffn_norm.weight', 3e38, 'blk.0.ffn_down.weight'],
  ])('%s is named by layer and linear', async (_, tensor, value, named) => {
    const view = await openModel(await damaged(tensor, value));
    const out = join(dir, `nan-${tensor}`);
    await expect(quantizeModel(view, out, awq, { threads })).rejects.toMatchObject({
      code: 'quantize-non-finite',
      tensor: named,
    });
    await rm(`${out}.partial`, { recursive: true, force: true });
    await view.close();
  });
});

describe('a mixture of experts', () => {
  it.each(['arch/mixtral', 'arch/qwen2moe', 'arch/qwen3moe'])(
    '%s: experts that few tokens reach are told',
    async (name) => {
      const view = await openModel(modelPath(name));
      for (const [method, request] of Object.entries({ awq, gptq: { ...gptq, format: 'gptq_v2' } })) {
        const summary = await quantizeModel(view, join(dir, `${method}-${name.replace('/', '-')}`), request, {
          threads,
        });
        const starved = summary!.layers.flatMap((layer) => layer.starved);
        expect(starved.length).toBeGreaterThan(0);
        for (const { tensor, tokens } of starved) {
          expect(tensor).toMatch(/ffn_gate_exps/);
          expect(tokens).toBeLessThan(128);
        }
      }
      await view.close();
    },
  );
});

it.each([
  ['awq', awq],
  ['gptq', gptq],
  ['rtn', rtn],
])('progress of %s counts every step once, to the total', async (name, request) => {
  const view = await openModel(modelPath('arch/llama3'));
  const seen = new Set<number>();
  const onProgress = ({ done }: { done: number }) => seen.add(done);
  await quantizeModel(view, join(dir, `progress-${name}`), request, { threads, onProgress });
  const told = [...seen];
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  // Within a layer every step counts the same, and after the last one the layer is done.
  for (let layer = 0; layer < 4; layer++) {
    const parts = told.filter((done) => done >= layer && done <= layer + 1).map((done) => done - layer);
    const steps = parts.length - 1;
    for (const [step, part] of parts.entries()) expect(part).toBeCloseTo(step / steps);
  }
  await view.close();
});

it('does not depend on the number of threads', async () => {
  const view = await openModel(modelPath('arch/qwen3'));
  for (const count of [1, 2]) await quantizeModel(view, join(dir, `threads-${count}`), awq, { threads: count });
  expect(await bytesOf(join(dir, 'threads-1'))).toEqual(await bytesOf(join(dir, 'threads-2')));
  await view.close();
});
