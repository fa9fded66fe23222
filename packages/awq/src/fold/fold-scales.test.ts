// Folding scales must not change what a model computes, whatever the scales: the network itself is the judge.
import { join } from 'node:path';
import type { ModelView } from '@quern/checkpoint';
import { loadModel, openModel, sequenceLogits } from '@quern/models';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embedTokens } from '../layer/embed-tokens.ts';
import { quantizeLayer } from '../run/quantize-layer.ts';
import { withoutGroupedHeads } from '../testing/expanded-heads.ts';
import { foundModel, modelPath, temporaryFolder } from '../testing/temporary-folder.ts';
import { type FoldedPair, foldScales } from './fold-scales.ts';
import { allPairs, readScales, writeScales } from './scales-file.ts';

const dir = await temporaryFolder();
let device: Device;
beforeAll(async () => {
  device = await cpuDevice({ threads: 1, memoryBytes: 256 * 2 ** 20 });
});
afterAll(() => device?.dispose());

/** 0.5 … 2 in no pattern. */
const scalesOf = (count: number, seed: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 2 ** Math.sin(12.9898 * (i + 1) + seed));

function randomPairs(view: ModelView): FoldedPair[] {
  return allPairs(view).map((pair, i) => {
    const { cols } = view.tensors.get(pair.layers[0]!)!;
    const maker = view.tensors.get(pair.prev)!;
    const experts = maker.shape.length > 2 ? maker.shape[0]! : 1;
    return { ...pair, scales: scalesOf(experts * cols, i) };
  });
}

async function logits(view: ModelView): Promise<Float32Array> {
  const ids = Int32Array.from({ length: 24 }, (_, i) => (i * i * 31 + 7 * i + 3) % 400);
  const model = await loadModel(view, device, { batchTokens: 24, maxOutputs: 24 });
  try {
    const rows: Float32Array[] = [];
    for await (const { logits: some } of sequenceLogits(model, ids)) rows.push(some.slice());
    return Float32Array.from(rows.flatMap((row) => [...row]));
  } finally {
    model.dispose();
  }
}

describe.each([
  'arch/llama3',
  'arch/mistral',
  'arch/qwen2',
  'arch/qwen3',
  'arch/mixtral',
  'arch/qwen2moe',
  'arch/qwen3moe',
  'arch/glm',
  'arch/glm4',
  'arch/bailingmoe',
  'arch/apertus',
  'arch/ernie45moe',
  'arch/exaonemoe',
  'arch/hunyuanmoe',
  'arch/laguna',
  'arch/llama4',
  'arch/mimo2',
])('%s', (name) => {
  const path = foundModel(name);
  if (path === undefined) {
    it.skip('its checkpoint is neither in test/models nor in QUERN_MODELS', () => {});
    return;
  }
  it('computes the same with any scales folded in', async () => {
    const view = await openModel(path);
    const before = await logits(view);
    const after = await logits(foldScales(view, randomPairs(view)));
    const spread = Math.max(...before) - Math.min(...before);
    const most = before.reduce((max, value, i) => Math.max(max, Math.abs(value - after[i]!)), 0);
    expect(most).toBeLessThan(2e-5 * spread);
    await view.close();
  });

  it('scales something in every pair', async () => {
    const view = await openModel(path);
    const pairs = randomPairs(view);
    const folded = foldScales(view, pairs);
    for (const { prev, layers, followers } of pairs)
      for (const tensor of [prev, ...layers, ...followers])
        expect(folded.tensors.get(tensor)).not.toBe(view.tensors.get(tensor));
    await view.close();
  });
});

describe('heads that are not grouped', () => {
  // qwen2 has biases on v, which are divided with its rows.
  it.each(['arch/llama3', 'arch/qwen2'])(
    'v and the output projection of %s are scaled against each other',
    async (name) => {
      const grouped = await openModel(modelPath(name));
      const view = await withoutGroupedHeads(grouped);
      const pairs = randomPairs(view);
      expect(pairs.some(({ prev }) => prev === 'blk.0.attn_v.weight')).toBe(true);
      const before = await logits(grouped);
      const after = await logits(foldScales(view, pairs));
      const spread = Math.max(...before) - Math.min(...before);
      const most = before.reduce((max, value, i) => Math.max(max, Math.abs(value - after[i]!)), 0);
      expect(most).toBeLessThan(2e-5 * spread);
      await grouped.close();
    },
  );

  it('are searched: scales of the output projection lower its error', async () => {
    const grouped = await openModel(modelPath('arch/qwen2'));
    const view = await withoutGroupedHeads(grouped);
    const ids = Int32Array.from({ length: 96 }, (_, i) => (i * i * 31 + 7 * i + 3) % 400);
    const states = await embedTokens(view, [ids]);
    const grid = { bits: 4, groupSize: 32, symmetric: false, leastZero: 0 };
    const method = { name: 'awq', clip: true } as const;
    const { pairs, changed, quantized } = await quantizeLayer({ view, device, block: 0, grid, method }, states);
    const found = pairs.find(({ prev }) => prev === 'blk.0.attn_v.weight')!;
    expect(found.layers).toEqual(['blk.0.attn_output.weight']);
    expect(found.error).toBeLessThan(found.unscaledError);
    expect([...changed.keys()].sort()).toEqual([
      'blk.0.attn_norm.weight',
      'blk.0.attn_v.bias',
      'blk.0.ffn_norm.weight',
    ]);
    expect(quantized.size).toBe(7);
    await grouped.close();
  });
});

describe('a file of scales', () => {
  it.each(['arch/llama3', 'arch/qwen2moe'])('gives back what was written for %s', async (name) => {
    const view = await openModel(modelPath(name));
    const pairs = randomPairs(view);
    const path = join(dir, 'scales.safetensors');
    await writeScales(path, pairs, view, new Map([['model', 'x']]));
    const read = await readScales(path, view);
    expect(read.facts.get('model')).toBe('x');
    expect(read.pairs.map(({ prev }) => prev)).toEqual(pairs.map(({ prev }) => prev));
    for (const [i, { scales }] of read.pairs.entries()) expect(scales).toEqual(pairs[i]!.scales);
    await view.close();
  });

  it('of another model, with a scale of 0, or no such file at all is refused', async () => {
    const view = await openModel(modelPath('arch/llama3'));
    const other = await openModel(modelPath('arch/qwen2moe'));
    const path = join(dir, 'other.safetensors');
    const pairs = randomPairs(view);
    await writeScales(path, pairs, view, new Map());
    await expect(readScales(path, other)).rejects.toMatchObject({ code: 'awq-scales-other-model' });
    await writeScales(path, pairs.slice(1), view, new Map());
    await expect(readScales(path, view)).rejects.toMatchObject({ code: 'awq-scales-other-model' });
    pairs[2]!.scales[3] = 0;
    await writeScales(path, pairs, view, new Map());
    await expect(readScales(path, view)).rejects.toMatchObject({ code: 'awq-scales-invalid', tensor: pairs[2]!.prev });
    const weights = join(modelPath('arch/llama3'), 'model.safetensors');
    await expect(readScales(weights, view)).rejects.toMatchObject({ code: 'awq-scales-not-recognized' });
    await view.close();
    await other.close();
  });
});
