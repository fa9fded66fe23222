// Folders as Mistral publishes them (params.json, consolidated.safetensors, tekken.json or tokenizer.model.v3): tiny
// checkpoints rewritten so become the GGUF that llama.cpp makes of them, and the one that it makes of transformers' folder.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dtypeByName, TranscodePool } from '@quern/blocks';
import { openGgufModel, openHfCheckpoint } from '@quern/checkpoint';
import { planConversion, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { openSafetensors, writeSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MistralFolderOptions, writeMistralFolder } from '../mistral-folder.ts';
import { type GoldenFile, goldenOf, goldenTensors, goldenValue, isCosmetic } from './arch-json.ts';
import { checkpointOf } from './forward/architectures.ts';

const data = (name: string) => readFileSync(new URL(`data/${name}`, import.meta.url), 'utf8');
/** The first 482 of the tokens, and 30 special ones. */
const tekken = () => {
  const file = JSON.parse(data('rank-lists/tekken.json'));
  return JSON.stringify({ ...file, config: { ...file.config, default_vocab_size: 512 } });
};

let scratch: string;
let pool: TranscodePool;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'quern-mistral-'));
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(async () => {
  await pool.close();
  rmSync(scratch, { recursive: true, force: true });
});

let count = 0;
async function folderOf(source: string, options?: MistralFolderOptions): Promise<string> {
  const folder = join(scratch, `folder-${count++}`);
  await writeMistralFolder(source, folder, options);
  return folder;
}

async function convert(folder: string): Promise<GoldenFile & { notes: readonly string[] }> {
  const output = join(scratch, `model-${count++}.gguf`);
  const model = await openModel(folder);
  await writeModel(model, planConversion(model, 'BF16'), output, { pool });
  await model.close();
  const ours = await openGgufModel(output);
  const metadata = Object.fromEntries([...ours.metadata].map(([key, value]) => [key, goldenValue(key, value)]));
  const tensors = (await goldenTensors(ours)).sort(byName);
  await ours.close();
  return { metadata, tensors, notes: model.notes ?? [] };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const meaning = ({ metadata }: GoldenFile, ...without: string[]) =>
  Object.fromEntries(Object.entries(metadata).filter(([key]) => !isCosmetic(key) && !without.includes(key)));

const models = ['ministral3', 'mistral', 'mixtral'].map((name) => ({ name, source: checkpointOf(name) ?? '' }));

describe.each(models)('$name', ({ name, source }) => {
  if (source === '') {
    it.skip('its checkpoint is neither in test/models/arch nor in QUERN_MODELS', () => {});
    return;
  }

  it("is the GGUF of transformers' folder", async () => {
    const theirs = await goldenOf(source);
    // Mixtral's config.json gives no width of heads, so GGUF has no key for it.
    const params = (same: object) => (name === 'mixtral' ? { ...same, head_dim: undefined } : { ...same });
    const ours = await convert(await folderOf(source, { params }));
    expect(ours.tensors).toEqual(theirs.tensors.toSorted(byName));
    // Without config.json's ids of special tokens; with what Mistral puts around a text, which the tokenizer's files say not.
    const tokens = ['bos', 'eos', 'unknown', 'padding'].map((role) => `tokenizer.ggml.${role}_token_id`);
    const around = ['tokenizer.ggml.add_bos_token', 'tokenizer.ggml.add_eos_token', 'tokenizer.ggml.add_space_prefix'];
    expect(meaning(ours, ...tokens, ...around)).toEqual(meaning(theirs, ...tokens, ...around));
    const towers = ours.notes.filter((note) => /left out.*(vision_encoder|vision tower)/.test(note));
    expect(towers.length > 0).toBe(name === 'ministral3');
  });

  // Of experts the converter makes DeepSeek's network, which Mixtral's is not.
  if (name === 'mixtral') return;
  it("is llama.cpp's --mistral-format, with tekken.json", async () => {
    const theirs = JSON.parse(data(`mistral-folders/${name}.json`)) as GoldenFile;
    const ours = await convert(await folderOf(source, { tekken: tekken() }));
    expect(ours.tensors).toEqual(theirs.tensors.toSorted(byName));
    // The converter writes its zeros as integers, which llama.cpp reads as floats.
    const scores = { ...theirs.metadata['tokenizer.ggml.scores'], type: 'array<f32>' };
    expect(meaning(ours)).toEqual({ ...meaning(theirs), 'tokenizer.ggml.scores': scores });
  });
});

const mistral = checkpointOf('mistral')!;

describe('what a folder may be', () => {
  it("transformers' files win where both are there", async () => {
    const folder = await folderOf(mistral, { params: () => ({ unheard_of: 1 }) });
    for (const file of ['config.json', 'model.safetensors', 'tokenizer.model'])
      writeFileSync(join(folder, file), readFileSync(join(mistral, file)));
    const both = await convert(folder);
    expect(both.tensors).toEqual((await convert(mistral)).tensors);
    expect(both.notes).toEqual([]);
  });

  it('shards, with an index and without', async () => {
    const folder = await folderOf(mistral);
    const whole = (await convert(folder)).tensors;
    const stored = await openSafetensors(await openFile(join(folder, 'consolidated.safetensors')));
    const inputs = await Promise.all(
      [...stored.tensors].map(async ([name, { dtype, shape, source, begin, end }]) => {
        return { name, dtype, shape, data: [await source.read(begin, end - begin)] };
      }),
    );
    await stored.close();
    const shard = (i: number) => `consolidated-0000${i}-of-00002.safetensors`;
    await writeSafetensors(join(folder, shard(1)), inputs.slice(0, 20));
    await writeSafetensors(join(folder, shard(2)), inputs.slice(20));
    rmSync(join(folder, 'consolidated.safetensors'));
    expect((await convert(folder)).tensors).toEqual(whole);
    const map = inputs.map(({ name }, i) => [name, shard(i < 20 ? 1 : 2)]);
    const index = { metadata: {}, weight_map: Object.fromEntries(map) };
    writeFileSync(join(folder, 'consolidated.safetensors.index.json'), JSON.stringify(index));
    const indexed = await convert(folder);
    expect(indexed.tensors).toEqual(whole);
    expect(indexed.notes).toEqual([]);
    renameSync(join(folder, shard(2)), join(folder, 'gone'));
    await expect(openModel(folder)).rejects.toMatchObject({ code: expect.stringMatching(/shard|not-found|missing/) });
  });

  it('FP8 weights with a scale each, as Ministral 3 has them', async () => {
    const folder = await folderOf(mistral, {
      params: (same) => ({ ...same, quantization: { qformat_weight: 'fp8_e4m3', qscheme_act: 'TENSOR' } }),
    });
    const file = join(folder, 'consolidated.safetensors');
    const stored = await openSafetensors(await openFile(file));
    const fp8 = dtypeByName('F8_E4M3');
    const inputs = await Promise.all(
      [...stored.tensors].map(async ([name, { dtype, shape, source, begin, end }]) => {
        const data = await source.read(begin, end - begin);
        // Codes 0x30 … 0x3f are 0.5 … 1.875.
        const codes = Uint8Array.from(
          { length: data.length / 2 },
          (_, i) => 0x30 + ((i * 7 + Math.floor(i / 64)) % 16),
        );
        if (!/attention\.wq/.test(name)) return [{ name, dtype, shape, data: [data] }];
        const scale = { dtype: dtypeByName('F32'), shape: [], data: [new Uint8Array(Float32Array.of(0.25).buffer)] };
        const base = name.replace(/weight$/, '');
        return [
          { name, dtype: fp8, shape, data: [codes] },
          { name: `${base}qscale_weight`, ...scale },
          { name: `${base}qscale_act`, ...scale },
        ];
      }),
    );
    await stored.close();
    await writeSafetensors(file, inputs.flat());
    const view = await openHfCheckpoint(folder);
    const q = view.tensors.get('model.layers.0.self_attn.q_proj.weight')!;
    expect([q.dtype.name, q.shape, view.packing?.description]).toEqual([
      'F32',
      [128, 64],
      expect.stringContaining('FP8'),
    ]);
    const rows = new Float32Array(2 * 64);
    await q.readRows(1, 2, new Uint8Array(rows.buffer));
    await view.close();
    // Rows 1 and 2 of transformers' order are rows 2 and 4 of Mistral's, whose heads have 32 rows.
    const decoded = (row: number, col: number) => {
      const code = ((row * 64 + col) * 7 + row) % 16;
      return 0.25 * (code < 8 ? 0.5 * (1 + code / 8) : 1 + (code - 8) / 8);
    };
    expect([...rows]).toEqual([2, 4].flatMap((row) => Array.from({ length: 64 }, (_, col) => decoded(row, col))));
  });
});

describe('what params.json may not say', () => {
  const faults: [what: string, change: object, code: string, message: RegExp][] = [
    ['a key that nobody knows', { n_layer_repeats: 2 }, 'config-key-unknown', /n_layer_repeats/],
    ['latent attention', { kv_lora_rank: 512 }, 'config-key-unknown', /kv_lora_rank/],
    [
      'experts of another kind',
      { moe: { num_experts: 8, num_experts_per_tok: 2, route_every_n: 2 } },
      'config-key-unknown',
      /moe\.route_every_n/,
    ],
    ['experts beside yarn', { moe: { num_experts: 8 }, yarn: { factor: 2 } }, 'unsupported-config', /moe/],
    ['weights packed otherwise', { quantization: { qformat_weight: 'nvfp4' } }, 'unsupported-config', /nvfp4/],
    [
      'another key of quantization',
      { quantization: { qformat_weight: 'fp8_e4m3', groups: 3 } },
      'config-key-unknown',
      /quantization\.groups/,
    ],
    [
      'two beginnings',
      {
        yarn: { factor: 2, original_max_position_embeddings: 16 },
        llama_4_scaling: { beta: 0.1, original_max_position_embeddings: 32 },
      },
      'unsupported-config',
      /llama_4_scaling/,
    ],
    ['another network', { model_type: 'mamba' }, 'unsupported-config', /mamba/],
    ['no size', { dim: undefined }, 'config-missing', /"dim"/],
    ['no heads', { n_heads: 0 }, 'config-bad-value', /n_heads/],
    ['heads that do not divide', { n_heads: 3, head_dim: undefined }, 'config-bad-value', /heads|hidden_size/],
    ['many layers', { n_layers: 1e9 }, 'config-bad-value', /layers/],
    ['yarn without a factor', { yarn: {} }, 'config-bad-value', /"yarn\.original_max.*absent/],
    ['layers below none', { n_layers: -4 }, 'config-bad-value', /params\.json: "n_layers" is -4/],
    ['no base', { rope_theta: 0 }, 'config-bad-value', /"rope_theta" is 0/],
    ['growth without yarn', { llama_4_scaling: { beta: 0.1 } }, 'unsupported-config', /llama_4_scaling/],
    ['no object', { yarn: [1] }, 'config-bad-value', /yarn/],
  ];
  it.each(faults)('%s', async (_what, change, code, message) => {
    const folder = await folderOf(mistral, { params: (same) => ({ ...same, ...change }) });
    await expect(openModel(folder)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('is not there', async () => {
    const folder = await folderOf(mistral);
    rmSync(join(folder, 'params.json'));
    expect(existsSync(join(folder, 'consolidated.safetensors'))).toBe(true);
    await expect(openModel(folder)).rejects.toMatchObject({ code: 'checkpoint-no-config' });
  });
});
