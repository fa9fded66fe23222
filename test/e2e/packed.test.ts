// Packed checkpoints through lens, conversion and forward pass: what each becomes, and that nothing of it changes on the way.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codecOf, TranscodePool } from '@quern/blocks';
import { type ModelView, openGgufModel, type TensorView } from '@quern/checkpoint';
import { countFidelity, planConversion, planTypes, verifyModel, writeModel } from '@quern/kquant';
import { loadModel, openModel, sequenceLogits } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { awqFolder, packedFolder } from '../packed-folder.ts';
import { root, runCommand } from './cli-fixture.ts';

const schemes = ['gptq', 'gptq-act-order', 'compressed-tensors', 'mlx', 'fp8', 'mxfp4'];

let scratch: string;
let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'quern-packed-'));
  pool = await TranscodePool.create({ threads: 2 });
});
beforeEach(() => {
  folder = mkdtempSync(join(scratch, 'model-'));
});
afterAll(async () => {
  await pool.close();
  rmSync(scratch, { recursive: true, force: true });
});

async function valuesOf(tensor: TensorView): Promise<Float32Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  const values = new Float32Array(tensor.rows * tensor.cols);
  codecOf(tensor.dtype).decode(bytes, values);
  return values;
}

async function written(model: ModelView, plan: ReturnType<typeof planConversion>): Promise<ModelView> {
  const path = join(folder, `${plan.fileType}.gguf`);
  await writeModel(model, plan, path, { pool, force: true });
  return openGgufModel(path);
}

async function logitsOf(view: ModelView, ids: Int32Array): Promise<Float32Array[]> {
  const model = await loadModel(view, referenceDevice(), { batchTokens: 16, cells: ids.length });
  const all: Float32Array[] = [];
  for await (const { logits } of sequenceLogits(model, ids)) all.push(logits.slice());
  model.dispose();
  return all;
}

describe.each(schemes)('%s', (scheme) => {
  test('has rows of q and k in the order of GGUF, in every form', async () => {
    const model = await openModel(packedFolder(scheme, folder));
    for (const tensor of model.tensors.values()) {
      if (!tensor.packed) continue;
      const values = await valuesOf(tensor);
      for (const { values: how, view } of tensor.packed.exact)
        if (how === 'same') expect(await valuesOf(view)).toEqual(values);
    }
    const q = model.tensors.get('blk.0.attn_q.weight')!;
    expect(q.packed).toBeDefined();
    // Row 1 of a head of 16 is row 8 of the checkpoint (permuted-tensor.ts): the same weights as unpacked ones, nearly.
    const plain = await openModel(join(root, 'test/models/arch/llama3'));
    const [ours, theirs] = await Promise.all([q, plain.tensors.get('blk.0.attn_q.weight')!].map(valuesOf));
    let [error, size] = [0, 0];
    for (const [i, value] of theirs!.entries()) {
      error += (ours![i]! - value) ** 2;
      size += value ** 2;
    }
    expect(Math.sqrt(error / size)).toBeLessThan(0.2);
    await Promise.all([model.close(), plain.close()]);
  });

  test('computes from the folder what it computes from a file of its values', async () => {
    const model = await openModel(packedFolder(scheme, folder));
    const file = await written(model, planConversion(model, 'F32'));
    for (const [name, tensor] of file.tensors)
      expect(await valuesOf(tensor)).toEqual(await valuesOf(model.tensors.get(name)!));
    const ids = Int32Array.of(0, 17, 300, 5, 44);
    // The embedding of this model is BF16 in the folder and F32 in the file: the same numbers.
    expect(await logitsOf(model, ids)).toEqual(await logitsOf(file, ids));
    await Promise.all([model.close(), file.close()]);
  });

  test('converts to auto as closely as a ggml type can', async () => {
    const expected = {
      gptq: { fileType: 'Q4_0', id: 2, counts: { 'same-codes': 28, copied: 1 } },
      'gptq-act-order': { fileType: 'BF16', id: 32, counts: { rounded: 28, copied: 1 } },
      'compressed-tensors': { fileType: 'Q5_0', id: 8, counts: { 'same-codes': 28, copied: 1 } },
      mlx: { fileType: 'Q4_1', id: 3, counts: { 'same-codes': 29 } },
      fp8: { fileType: 'BF16', id: 32, counts: { rounded: 28, copied: 1 } },
      mxfp4: { fileType: 'MXFP4_MOE', id: 38, counts: { 'same-codes': 28, copied: 1 } },
    }[scheme]!;
    const model = await openModel(packedFolder(scheme, folder));
    const plan = planConversion(model, 'auto');
    // Nine norms become F32, and there are the computed rope factors.
    expect(countFidelity(plan.tensors)).toEqual({
      ...expected.counts,
      'same-values': 9,
      copied: 1 + ('copied' in expected.counts ? 1 : 0),
    });
    expect(plan.fileType).toBe(expected.fileType);
    expect(plan.metadata.get('general.file_type')?.value).toBe(expected.id);
    const file = await written(model, plan);
    const exact = 'same-codes' in expected.counts;
    for (const [name, tensor] of file.tensors) {
      const source = model.tensors.get(name)!;
      if (source.packed && exact) expect(await valuesOf(tensor)).toEqual(await valuesOf(source));
    }
    const verdicts = await verifyModel(model, plan, file.path, { pool });
    for (const { relativeRmse } of verdicts) expect(relativeRmse).toBeLessThan(exact ? 1e-9 : 2 ** -8);
    await Promise.all([model.close(), file.close()]);
  });
});

describe('a wanted type', () => {
  test.each([
    ['gptq', 'Q4_0', { 'same-codes': 28 }],
    ['gptq', 'Q8_0', { requantized: 28 }],
    ['compressed-tensors', 'Q4_1', { 'scales-rounded': 28 }],
    ['compressed-tensors', 'Q5_0', { 'same-codes': 28 }],
    ['compressed-tensors', 'Q4_0', { requantized: 28 }],
    ['mxfp4', 'Q4_K_M', { requantized: 28 }],
  ])('%s to %s', async (scheme, type, counts) => {
    const model = await openModel(packedFolder(scheme, folder));
    const converted = planConversion(model, 'auto');
    const plan = planTypes(model, type, { converted, pure: true });
    expect(countFidelity(plan.tensors)).toMatchObject(counts);
    expect(plan.tensors.filter(({ packed, via }) => packed && via)).toEqual([]);
    const file = await written(model, plan);
    if ('same-codes' in counts) {
      for (const [name, tensor] of file.tensors)
        if (model.tensors.get(name)!.packed)
          expect(await valuesOf(tensor)).toEqual(await valuesOf(model.tensors.get(name)!));
    }
    await Promise.all([model.close(), file.close()]);
  });

  test('is refused by --strict when codes would be lost, naming the first tensor', async () => {
    packedFolder('gptq', folder);
    const output = join(folder, 'out.gguf');
    const strict = (type: string) => runCommand('convert', folder, '--type', type, '--strict', '--json', '-o', output);
    const refused = await strict('Q8_0');
    expect(refused.code).toBe(3);
    expect(JSON.parse(refused.stdout).error).toMatchObject({
      code: 'refused-inexact',
      tensor: 'blk.0.ffn_down.weight',
      message: expect.stringMatching(/28 of 39 tensors.*gptq to Q8_0: requantized/),
    });
    const accepted = await strict('auto');
    expect(accepted.code).toBe(0);
    expect(JSON.parse(accepted.stdout)).toMatchObject({
      fileType: 'Q4_0',
      fidelity: { 'same-codes': 28, 'same-values': 9, copied: 2 },
      notes: [
        'left out: 28 biases of packed weights that are zero',
        expect.stringMatching(/^the weights are packed: GPTQ/),
      ],
    });
  });
});

describe("AutoAWQ's tiny-llama", () => {
  // Zeros times F16 scales need more bits than F16 has; codes less zeros fit in 5 bits.
  test('says what becomes of its weights', async () => {
    awqFolder(folder);
    const { stdout, code } = await runCommand('convert', folder, '--verify', '-o', join(folder, 'auto.gguf'));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Q5_0: 4\.20M weights, 3\.57 MiB -> /m);
    expect(stdout).toMatch(
      /^from awq-gemm:\n {2}10 tensors copied byte for byte\n {2}28 tensors same codes and values$/m,
    );
  });

  test('keeps its perplexity, from the folder and from files of its codes', async () => {
    awqFolder(folder);
    const text = join(folder, 'text.txt');
    writeFileSync(text, readFileSync(join(root, 'test/models/text/prose-test.txt')).subarray(0, 60_000));
    const files = await Promise.all(
      ['auto', 'Q4_1'].map(async (type) => {
        const output = join(folder, `${type}.gguf`);
        expect(await runCommand('convert', folder, '--type', type, '-o', output)).toMatchObject({ code: 0 });
        return output;
      }),
    );
    const { stdout } = await runCommand(
      ...['eval', folder, ...files, '--text', text, '--chunks', '6', '--threads', '1', '--json', '-q'],
    );
    const [packed, auto, q41] = JSON.parse(stdout).models.map(({ ppl }: { ppl: number }) => ppl);
    expect(auto / packed).toBeCloseTo(1, 5);
    // llama-perplexity -c 512 -b 512 --chunks 6 of the same files (version: tiny-llama/expected/README.md), which rounds
    // activations to 8 bits.
    expect(Math.abs(auto / 59.2916 - 1)).toBeLessThan(1e-3);
    expect(Math.abs(q41 / 59.3083 - 1)).toBeLessThan(1e-3);
  });
});

describe('weights of torch.save', () => {
  test('convert to the bytes that the same weights in safetensors give', async () => {
    packedFolder('torch-sharded', folder);
    const model = await openModel(folder);
    const plain = await openModel(join(root, 'test/models/arch/llama3'));
    const [ours, theirs] = await Promise.all([model, plain].map((view) => planConversion(view, 'auto')));
    expect(ours!.fileType).toBe('BF16');
    const file = await written(model, ours!);
    const reference = await openGgufModel(join(root, 'test/models/arch/llama3/llama.cpp-bf16.gguf'));
    expect(ours!.tensors.length).toBe(theirs!.tensors.length);
    for (const [name, tensor] of reference.tensors) {
      expect(file.tensors.get(name)!.dtype).toBe(tensor.dtype);
      expect(await valuesOf(file.tensors.get(name)!)).toEqual(await valuesOf(tensor));
    }
    await Promise.all([model, plain, file, reference].map((view) => view.close()));
  });
});
