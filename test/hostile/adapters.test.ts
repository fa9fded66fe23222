// Adapters that cannot be applied, or only in part: each is refused with the tensor's name, and nothing is computed without it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName } from '@quern/blocks';
import { type GgufMetadata, GgufWriter } from '@quern/gguf';
import { loadModel, openAdapter, openModel } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { type AdapterTensor, knownTensor, writeAdapterFolder } from '../adapter-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'quern-adapters-'));
const device = referenceDevice();
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await device.dispose();
});

/** 64 wide, tied, q and k of 64 and 32 rows. */
const llama = new URL('../models/arch/llama3', import.meta.url).pathname;
let count = 0;

const up = 'base_model.model.model.layers.0.mlp.up_proj';
const pair = (module = up, rows = 128, cols = 64, rank = 2): AdapterTensor[] => [
  knownTensor(`${module}.lora_A.weight`, [rank, cols], 1),
  knownTensor(`${module}.lora_B.weight`, [rows, rank], 2),
];
const settings = { peft_type: 'LORA', r: 2, lora_alpha: 4 };

async function open(path: string): Promise<number> {
  const view = await openModel(llama);
  try {
    const adapter = await openAdapter(path, view);
    try {
      const model = await loadModel(view, device, { batchTokens: 1, adapters: [{ adapter, scale: 1 }] });
      model.dispose();
      return adapter.pairs.size;
    } finally {
      await adapter.close();
    }
  } finally {
    await view.close();
  }
}

const peft = (config: object, tensors: readonly AdapterTensor[]): Promise<number> =>
  open(writeAdapterFolder(join(folder, String(count++)), config, tensors));

interface GgufAdapter {
  readonly keys?: Record<string, unknown>;
  readonly tensors?: readonly AdapterTensor[];
}

async function gguf({ keys = {}, tensors = [] }: GgufAdapter): Promise<number> {
  const path = join(folder, `${count++}.gguf`);
  const metadata = new Map(
    Object.entries({
      'general.architecture': { type: 'string', value: 'llama' },
      'general.type': { type: 'string', value: 'adapter' },
      'adapter.type': { type: 'string', value: 'lora' },
      'adapter.lora.alpha': { type: 'float32', value: 4 },
      ...keys,
    }),
  ) as GgufMetadata;
  const plans = tensors.map(({ name, shape }) => ({ name, shape, dtype: dtypeByName('F32') }));
  const writer = await GgufWriter.create(path, { metadata, tensors: plans });
  for (const { name, values } of tensors) await writer.write(name, new Uint8Array(values.buffer));
  await writer.finish();
  return open(path);
}

const withValue = (tensors: AdapterTensor[], value: number): AdapterTensor[] => {
  tensors[1]!.values[3] = value;
  return tensors;
};

describe('PEFT folders', () => {
  it('takes one that fits', async () => {
    expect(await peft(settings, pair())).toBe(1);
  });

  it.each([
    ['another kind', { peft_type: 'IA3' }, 'adapter-unsupported'],
    ['DoRA', { use_dora: true }, 'adapter-unsupported'],
    ['biases', { bias: 'lora_only' }, 'adapter-unsupported'],
    ['whole modules', { modules_to_save: ['lm_head'] }, 'adapter-unsupported'],
    ['stacks of experts', { target_parameters: ['mlp.experts.gate_up_proj'] }, 'adapter-unsupported'],
    ['weights that change too', { init_lora_weights: 'pissa_niter_4' }, 'adapter-unsupported'],
    ['no rank', { r: 0 }, 'adapter-bad-scale'],
    ['a rank that the tensors have not', { r: 4 }, 'adapter-bad-rank'],
    ['no alpha', { lora_alpha: 0 }, 'adapter-bad-scale'],
    ['an alpha that is no number', { lora_alpha: '16' }, 'adapter-bad-scale'],
    ['patterns that are none', { alpha_pattern: [1] }, 'adapter-bad-config'],
    ['patterns without end', { rank_pattern: { '(a*)*b': 2 } }, 'adapter-bad-config'],
  ])('refuses %s', async (_, config, code) => {
    await expect(peft({ ...settings, ...config }, pair())).rejects.toMatchObject({ code });
  });

  it.each([
    ['half a pair', pair().slice(0, 1), 'adapter-tensor-missing', `${up}.lora_A.weight`],
    ['nothing', [], 'adapter-tensor-missing', undefined],
    [
      'a pair that is there twice',
      [...pair(), ...pair(up.replace('base_model.model.model.', 'base_model.model.'))],
      'adapter-tensor-twice',
      /up_proj/,
    ],
    ['another shape', pair(up, 64), 'adapter-wrong-shape', `${up}.lora_B.weight`],
    ['pairs of two ranks', [pair()[0]!, pair(up, 128, 64, 3)[1]!], 'adapter-wrong-shape', /up_proj/],
    ['a layer too many', pair(up.replace('.0.', '.4.')), 'adapter-no-weight', /layers\.4/],
    ['another module', pair(up.replace('up_proj', 'dense')), 'adapter-no-weight', /dense/],
    ['the output matrix of a tied model', pair('base_model.model.lm_head', 512), 'adapter-no-weight', /lm_head/],
    [
      'a whole tensor',
      [...pair(), knownTensor('base_model.model.model.norm.weight', [64], 3)],
      'adapter-tensor-unexpected',
      'base_model.model.model.norm.weight',
    ],
    [
      'another embedding beside its pair',
      [
        knownTensor('base_model.model.model.embed_tokens.lora_embedding_A', [2, 512], 1),
        knownTensor('base_model.model.model.embed_tokens.lora_embedding_B', [64, 2], 2),
        knownTensor('base_model.model.model.embed_tokens.base_layer.weight', [512, 64], 3),
      ],
      'adapter-tensor-unexpected',
      /base_layer/,
    ],
    [
      'magnitudes',
      [...pair(), knownTensor(`${up}.lora_magnitude_vector`, [128], 3)],
      'adapter-tensor-unexpected',
      /magnitude/,
    ],
    ['a value that is no number', withValue(pair(), Number.NaN), 'adapter-not-finite', `${up}.lora_B.weight`],
    ['an infinite value', withValue(pair(), Number.NEGATIVE_INFINITY), 'adapter-not-finite', `${up}.lora_B.weight`],
  ])('refuses %s', async (_, tensors, code, tensor) => {
    const named = tensor === undefined ? {} : { tensor: expect.stringMatching(tensor) };
    await expect(peft(settings, tensors)).rejects.toMatchObject({ code, ...named });
  });
});

describe('GGUF files', () => {
  const weight = 'blk.0.ffn_up.weight';
  const halves = (name = weight, rows = 128, cols = 64, rank = 2): AdapterTensor[] => [
    knownTensor(`${name}.lora_a`, [rank, cols], 1),
    knownTensor(`${name}.lora_b`, [rows, rank], 2),
  ];

  it('takes one that fits', async () => {
    expect(await gguf({ tensors: [...halves(), ...halves('blk.1.attn_k.weight', 32)] })).toBe(2);
  });

  it.each([
    ['a model', { keys: { 'general.type': { type: 'string', value: 'model' } } }, 'not-an-adapter', undefined],
    ['another kind', { keys: { 'adapter.type': { type: 'string', value: 'ia3' } } }, 'adapter-unsupported', undefined],
    [
      'aLoRA',
      { keys: { 'adapter.alora.invocation_tokens': { type: 'array', of: 'uint32', value: [1] } } },
      'adapter-unsupported',
      undefined,
    ],
    [
      'one for other models',
      { keys: { 'general.architecture': { type: 'string', value: 'qwen2' } } },
      'adapter-wrong-model',
      undefined,
    ],
    [
      'an alpha that is no number',
      { keys: { 'adapter.lora.alpha': { type: 'float32', value: Number.NaN } } },
      'metadata-bad-value',
      undefined,
    ],
    ['half a pair', { tensors: halves().slice(1) }, 'adapter-tensor-missing', `${weight}.lora_b`],
    ['nothing', { tensors: [] }, 'adapter-tensor-missing', undefined],
    ['a norm', { tensors: [knownTensor('blk.0.attn_norm.weight', [64], 1)] }, 'adapter-tensor-unexpected', /attn_norm/],
    ['a pair for a norm', { tensors: halves('blk.0.attn_norm.weight') }, 'adapter-wrong-shape', /attn_norm/],
    ['another shape', { tensors: halves(weight, 128, 32) }, 'adapter-wrong-shape', `${weight}.lora_a`],
    ['a layer too many', { tensors: halves('blk.9.ffn_up.weight') }, 'adapter-no-weight', /blk\.9/],
    ['rank 0', { tensors: halves(weight, 128, 64, 0) }, 'adapter-bad-rank', /ffn_up/],
    [
      'a value that is no number',
      { tensors: withValue(halves(), Number.NaN) },
      'adapter-not-finite',
      `${weight}.lora_b`,
    ],
  ])('refuses %s', async (_, file, code, tensor) => {
    const tensors = 'tensors' in file ? file.tensors : halves();
    const named = tensor === undefined ? {} : { tensor: expect.stringMatching(tensor) };
    await expect(gguf({ ...file, tensors })).rejects.toMatchObject({ code, ...named });
  });
});
