// What fits the memory of a CPU device, by the sizes of real models; their weights are not needed for that.
import type { ModelView, TensorView } from '@quern/checkpoint';
import { openModel } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelPath } from '../testing/temporary-folder.ts';
import { preflight } from './preflight.ts';

interface Sizes {
  readonly embedding: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly kvHeads: number;
}

const llama70: Sizes = { embedding: 8192, feedForward: 28672, heads: 64, kvHeads: 8 };
const qwen72: Sizes = { embedding: 8192, feedForward: 29568, heads: 64, kvHeads: 8 };
const llama405: Sizes = { embedding: 16384, feedForward: 53248, heads: 128, kvHeads: 8 };
const headDim = 128;

let small: ModelView;
let device: Device;
beforeAll(async () => {
  small = await openModel(modelPath('arch/llama3'));
  device = await cpuDevice({ threads: 1 });
});
afterAll(async () => {
  await small?.close();
  await device?.dispose();
});

/** The small model with one block of other sizes. */
function viewOf({ embedding, feedForward, heads, kvHeads }: Sizes): ModelView {
  const numbers: Record<string, number> = {
    'llama.block_count': 1,
    'llama.embedding_length': embedding,
    'llama.feed_forward_length': feedForward,
    'llama.attention.head_count': heads,
    'llama.attention.head_count_kv': kvHeads,
    'llama.attention.key_length': headDim,
    'llama.attention.value_length': headDim,
    'llama.rope.dimension_count': headDim,
  };
  const metadata = new Map(small.metadata);
  for (const [key, value] of Object.entries(numbers)) metadata.set(key, { type: 'uint32', value });
  const shapes: Record<string, [number, number]> = {
    attn_q: [heads * headDim, embedding],
    attn_k: [kvHeads * headDim, embedding],
    attn_v: [kvHeads * headDim, embedding],
    attn_output: [embedding, heads * headDim],
    ffn_gate: [feedForward, embedding],
    ffn_up: [feedForward, embedding],
    ffn_down: [embedding, feedForward],
    attn_norm: [1, embedding],
    ffn_norm: [1, embedding],
  };
  const tensors = new Map<string, TensorView>();
  for (const [name, tensor] of small.tensors) {
    const [, block, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(name) ?? [];
    if (block !== undefined && block !== '0') continue;
    const [rows, cols] = (part && shapes[part]) || [tensor.rows, tensor.cols];
    tensors.set(name, { ...tensor, rows, cols, shape: rows === 1 ? [cols] : [rows, cols] } as TensorView);
  }
  return { ...small, metadata, tensors };
}

const take = (sizes: Sizes, sequenceTokens: number) =>
  preflight({
    view: viewOf(sizes),
    device,
    method: { name: 'gptq', actOrder: false, freeGroups: true, damp: 0.01 },
    sequences: 128,
    sequenceTokens,
  });

describe('one block in F32 on a CPU device', () => {
  it.each([
    ['Llama-3-70B', llama70, 3_422_617_600],
    ['Qwen2-72B', qwen72, 3_510_697_984],
  ])('of %s fits with sequences of 512 tokens', async (_, sizes, weightBytes) => {
    const { deviceBytes, hostBytes } = await take(sizes, 512);
    expect(deviceBytes).toBeGreaterThan(weightBytes);
    expect(deviceBytes).toBeLessThan(device.limits.memoryBytes);
    // The block, three residual streams, four Gram matrices' worth of inputs and half a square in F64.
    const grams = 4 * (3 * sizes.embedding ** 2 + 2 * sizes.feedForward ** 2);
    expect(hostBytes / (weightBytes + 3 * 4 * 128 * 512 * sizes.embedding + grams)).toBeCloseTo(1, 2);
  });

  it.each([
    ['Llama-3-70B with sequences of 2048 tokens', llama70, 2048],
    ['Qwen2-72B with sequences of 1024 tokens', qwen72, 1024],
    ['Llama-3-405B', llama405, 512],
  ])('of %s is refused with the numbers', async (_, sizes, tokens) => {
    await expect(take(sizes, tokens)).rejects.toMatchObject({
      code: 'model-too-large',
      message: expect.stringMatching(new RegExp(`needs \\d{10,} bytes .* may hold ${device.limits.memoryBytes}`)),
    });
  });
});
