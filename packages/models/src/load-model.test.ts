import { fileURLToPath } from 'node:url';
import { dtypeByName } from '@quern/blocks';
import type { ModelView, TensorView } from '@quern/checkpoint';
import { type Device, referenceDevice } from '@quern/runtime';
import { describe, expect, it } from 'vitest';
import { sequenceLogits } from './forward/sequence-logits.ts';
import { loadModel } from './load-model.ts';
import { openModel } from './open-model.ts';

const open = (path = 'arch/llama3/llama.cpp-bf16.gguf') =>
  openModel(fileURLToPath(new URL(`../../../test/models/${path}`, import.meta.url)));

/** The view with some tensors replaced (undefined: taken away). */
const withTensors = (view: ModelView, changes: Record<string, Partial<TensorView> | undefined>): ModelView => {
  const tensors = new Map(view.tensors);
  for (const [name, change] of Object.entries(changes)) {
    const base = view.tensors.get(name) ?? view.tensors.values().next().value!;
    // readRows needs its own `this`, so the copy delegates to it.
    if (change) tensors.set(name, { ...base, readRows: (...args) => base.readRows(...args), ...change, name });
    else tensors.delete(name);
  }
  return { path: view.path, metadata: view.metadata, tensors, close: () => view.close() };
};

describe('what is refused before any weight is read', () => {
  const options = { batchTokens: 8 };
  const cases: [string, Record<string, Partial<TensorView> | undefined>, object][] = [
    [
      'a missing tensor',
      { 'blk.2.ffn_up.weight': undefined },
      { code: 'tensor-missing', tensor: 'blk.2.ffn_up.weight' },
    ],
    [
      'a tensor of another network',
      { 'blk.0.post_attention_norm.weight': {} },
      { code: 'tensor-unexpected', tensor: 'blk.0.post_attention_norm.weight' },
    ],
    [
      'a shape that contradicts the metadata',
      { 'blk.1.attn_k.weight': { shape: [64, 64] } },
      { code: 'tensor-wrong-shape', tensor: 'blk.1.attn_k.weight' },
    ],
    [
      'a stored type that nobody can multiply with',
      { 'blk.3.ffn_down.weight': { dtype: dtypeByName('I16') } },
      { code: 'weight-dtype-unsupported', tensor: 'blk.3.ffn_down.weight' },
    ],
  ];
  it.each(cases)('%s', async (_, changes, error) => {
    const view = await open();
    const unread = Object.fromEntries(
      [...view.tensors.keys()].map((name) => [
        name,
        { readRows: () => Promise.reject(new Error('a weight was read')) },
      ]),
    );
    const device = referenceDevice();
    await expect(loadModel(withTensors(withTensors(view, unread), changes), device, options)).rejects.toMatchObject(
      error,
    );
    await view.close();
  });

  it('more memory than the device has, with the numbers', async () => {
    const view = await open();
    const device = referenceDevice({ memoryBytes: 1_000_000 });
    // llama3: 512·64 tied embeddings and 4 blocks of (2·64·64 + 2·32·64 + 3·128·64) in bf16, norms in f32; the host keeps rope_freqs.
    const weights = 2 * (512 * 64 + 4 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 128 * 64)) + 4 * 9 * 64;
    const kv = 4 * 2 * 32 * 64 * 4096; // 4 blocks, k and v, 32 scalars in f32
    await expect(loadModel(view, device, { batchTokens: 8, cells: 64 * 4096 })).rejects.toMatchObject({
      code: 'model-too-large',
      message: expect.stringMatching(new RegExp(`weights ${weights},.* 262144 tokens ${kv * 4},.* 1000000`)),
    });
    await view.close();
  });

  it('a cache whose blocks do not divide the heads', async () => {
    const view = await open(); // heads of 16
    for (const [cacheTypes, names] of [
      [{ k: 'F16', v: 'Q8_0' }, /values as Q8_0: its blocks of 32 do not divide heads of 16/],
      [{ k: 'Q4_0', v: 'F32' }, /keys as Q4_0/],
    ] as const)
      await expect(loadModel(view, referenceDevice(), { batchTokens: 8, cacheTypes })).rejects.toMatchObject({
        code: 'cache-type-unsupported',
        message: expect.stringMatching(names),
        remedy: expect.stringMatching(/F16/),
      });
    const unknown = { k: 'Q6_K', v: 'F32' } as never;
    await expect(loadModel(view, referenceDevice(), { batchTokens: 8, cacheTypes: unknown })).rejects.toMatchObject({
      code: 'load-option-invalid',
    });
    await view.close();
  });

  it('a cache that the device cannot store', async () => {
    const view = await open();
    const device = referenceDevice();
    const picky: Device = {
      ...device,
      run: (op, inputs, output, params) => {
        if (output.dtype === 'F16') throw new Error('no kernel');
        device.run(op, inputs, output, params);
      },
    };
    const options = { batchTokens: 8, cacheTypes: { k: 'F32', v: 'F16' } } as const;
    await expect(loadModel(view, picky, options)).rejects.toMatchObject({
      code: 'cache-type-unsupported',
      message: expect.stringMatching(/reference device .* F16/),
    });
    await view.close();
  });

  it('sizes that are no positive integers', async () => {
    const view = await open();
    for (const wrong of [
      { batchTokens: 0 },
      { batchTokens: 8, cells: 1.5 },
      { batchTokens: 8, maxSequences: Number.NaN },
    ])
      await expect(loadModel(view, referenceDevice(), wrong)).rejects.toMatchObject({ code: 'load-option-invalid' });
    await view.close();
  });
});

it('reads weights in pieces of at most 4 MiB and reports them', async () => {
  const view = await open('tiny-llama');
  let largest = 0;
  const counted = Object.fromEntries(
    [...view.tensors].map(([name, tensor]) => [
      name,
      {
        readRows: (first: number, count: number, into: Uint8Array) => {
          largest = Math.max(largest, into.length);
          return tensor.readRows(first, count, into);
        },
      },
    ]),
  );
  const progress: number[] = [];
  let total = 0;
  const model = await loadModel(withTensors(view, counted), referenceDevice(), {
    batchTokens: 4,
    onProgress: (done, of) => {
      progress.push(done);
      total = of;
    },
  });
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(4 * 2 ** 20);
  expect(progress).toEqual([...progress].sort((a, b) => a - b));
  expect(progress.at(-1)).toBe(total);
  model.dispose();
  await view.close();
});

it('gives its memory back, after use and after a failed read', async () => {
  const view = await open();
  const device = referenceDevice({ memoryBytes: 1_400_000 }); // one copy of the model, not two
  const failing = withTensors(view, {
    'blk.3.ffn_down.weight': { readRows: () => Promise.reject(new Error('disk gone')) },
  });
  for (let i = 0; i < 3; i++) {
    await expect(loadModel(failing, device, { batchTokens: 64 })).rejects.toThrow('disk gone');
    const model = await loadModel(view, device, { batchTokens: 64 });
    for await (const { logits } of sequenceLogits(model, Int32Array.of(1, 2, 3))) expect(logits).toHaveLength(3 * 512);
    model.dispose();
  }
  await view.close();
});

describe('batches that do not fit the model', () => {
  it.each([
    ['no tokens', { tokens: 0 }, 'batch-invalid'],
    ['too many tokens', { tokens: 9 }, 'batch-invalid'],
    ['a position for each token', { tokens: 4, positions: 3 }, 'batch-invalid'],
    ['a table of whole rows', { tokens: 4, table: 3 }, 'batch-invalid'],
    ['no output rows', { tokens: 4, rows: 0 }, 'batch-invalid'],
    ['a token beyond the vocabulary', { tokens: 4, token: 512 }, 'op-index-out-of-range'],
    ['a position beyond the cache', { tokens: 4, position: 64 }, 'op-index-out-of-range'],
  ])('%s', async (_, sizes: Record<string, number>, code) => {
    const view = await open();
    const model = await loadModel(view, referenceDevice(), { batchTokens: 8, cells: 64 });
    const { tokens, positions = tokens, table = model.tableWidth, rows = 1, token = 0, position = 0 } = sizes;
    const batch = {
      tokens: new Int32Array(tokens).fill(token),
      positions: new Int32Array(positions).fill(position),
      seqs: new Int32Array(tokens),
      blockTable: new Int32Array(table),
      outputRows: new Int32Array(rows),
    };
    await expect(model.forward(batch)).rejects.toMatchObject({ code });
    await view.close();
  });
});
