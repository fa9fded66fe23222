// Passes that begin between two blocks, and weights that are replaced, against whole passes of models loaded so.
import { fileURLToPath } from 'node:url';
import { codecOf } from '@quern/blocks';
import { cpuDevice, type Device, referenceDevice, type Tensor } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModel } from '../load-model.ts';
import { openModel } from '../open-model.ts';
import type { Model, OutputBatch } from './model.ts';

const tokens = Int32Array.of(5, 17, 200, 3, 99, 41);
const batch = (model: Model): OutputBatch => ({
  tokens,
  positions: tokens.map((_, i) => i),
  seqs: new Int32Array(tokens.length),
  blockTable: new Int32Array(model.tableWidth),
  outputRows: Int32Array.of(2, 5),
});

const logitsOf = async (model: Model, logits: Tensor): Promise<Uint8Array> => (await model.device.read(logits)).slice();

const cpu = await cpuDevice({ threads: 1 });
afterAll(() => cpu.dispose());

describe.each<[string, () => Device[]]>([
  ['one device', () => [cpu]],
  ['two devices that share the layers', () => [referenceDevice(), referenceDevice()]],
])('%s', (_, devices) => {
  it.each(['llama3', 'qwen3moe'])('%s', async (name) => {
    const view = await openModel(
      fileURLToPath(new URL(`../../../../test/models/arch/${name}/llama.cpp-bf16.gguf`, import.meta.url)),
    );
    const model = await loadModel(view, devices(), { batchTokens: 8 });
    const { blockCount } = model.hyperparameters;
    const whole = await logitsOf(model, await model.forward(batch(model)));

    // A block's keys and values are computed anew: what the cache held of other tokens does not show.
    const before = await model.residualBefore(0, batch(model));
    await model.prefill({ ...batch(model), tokens: tokens.map((token) => token + 1) });
    let from = { block: 0, residual: before };
    for (let block = 0; block <= blockCount; block++) {
      if (block > 0) from = { block, residual: await model.residualBefore(block, batch(model), from) };
      expect(await logitsOf(model, await model.forwardFrom(batch(model), from))).toEqual(whole);
      expect(await model.residualBefore(block, batch(model))).toEqual(from.residual);
    }

    await expect(model.forwardFrom(batch(model), { block: blockCount + 1, residual: before })).rejects.toMatchObject({
      code: 'batch-invalid',
    });
    await expect(model.forwardFrom(batch(model), { block: 0, residual: before.subarray(4) })).rejects.toMatchObject({
      code: 'batch-invalid',
    });
    model.dispose();
    await view.close();
  });
});

describe.each<[string, () => Device[]]>([
  ['one device', () => [cpu]],
  ['two devices that share the layers, with a tied embedding on both', () => [referenceDevice(), referenceDevice()]],
])('a replaced weight, %s', (_, devices) => {
  it.each(['token_embd.weight', 'blk.1.ffn_down.weight', 'blk.3.attn_q.weight'])('%s', async (name) => {
    const view = await openModel(
      fileURLToPath(new URL('../../../../test/models/arch/llama3/llama.cpp-bf16.gguf', import.meta.url)),
    );
    const model = await loadModel(view, devices(), { batchTokens: 8 });
    const own = await logitsOf(model, await model.forward(batch(model)));
    const { rows, cols, rowBytes, dtype } = view.tensors.get(name)!;
    const bytes = new Uint8Array(rows * rowBytes);
    await view.tensors.get(name)!.readRows(0, rows, bytes);
    const values = new Float32Array(rows * cols);
    codecOf(dtype).decode(bytes, values);
    const wide = new Uint8Array(values.buffer);

    model.replaceWeight(name, { dtype: 'F32', bytes: wide });
    expect(distance(await logitsOf(model, await model.forward(batch(model))), own)).toBeLessThan(1e-5);
    model.replaceWeight(name, { dtype: 'F32', bytes: new Uint8Array(wide.length) });
    const without = await logitsOf(model, await model.forward(batch(model)));
    expect(distance(without, own)).toBeGreaterThan(0.01);
    const from = { block: 1, residual: await model.residualBefore(1, batch(model)) };
    expect(await logitsOf(model, await model.forwardFrom(batch(model), from))).toEqual(without);
    model.replaceWeight(name, { dtype: 'BF16', bytes });
    expect(await logitsOf(model, await model.forward(batch(model)))).toEqual(own);

    expect(() => model.replaceWeight('blk.9.ffn_down.weight', { dtype: 'BF16', bytes })).toThrow(
      expect.objectContaining({ code: 'tensor-missing' }),
    );
    expect(() => model.replaceWeight('output_norm.weight', { dtype: 'BF16', bytes })).toThrow(
      expect.objectContaining({ code: 'weight-wrong-shape' }),
    );
    model.dispose();
    await view.close();
  });
});

/** Largest difference of two tensors of F32. */
function distance(a: Uint8Array, b: Uint8Array): number {
  const [x, y] = [a, b].map((bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
  return x!.reduce((most, value, i) => Math.max(most, Math.abs(value - y![i]!)), 0);
}
