// Every architecture against llama.cpp's converter, and back again: the tiny checkpoint as BF16 GGUF has its metadata key
// for key and its tensors by hash; made into a checkpoint again, that has the tensors it came from. A new architecture is
// a name in the list; where its checkpoint is looked for, forward/architectures.ts says.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codecOf, type DType, TranscodePool } from '@quern/blocks';
import { type ModelView, openGgufModel, openHfCheckpoint, type TensorView } from '@quern/checkpoint';
import { planPlainCheckpoint } from '@quern/hf-writer';
import { planConversion, writeModel } from '@quern/kquant';
import { coreOf, huggingFaceOf, openModel } from '@quern/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GoldenFile, goldenOf, goldenTensors, goldenValue, isCosmetic, nearlyHash } from './arch-json.ts';
import { checkpointOf } from './forward/architectures.ts';

interface Case {
  readonly name: string;
  /** Tensors of the checkpoint, without words in front, that GGUF's text model leaves out: how their names begin. */
  readonly leftOut?: readonly string[];
  /** Tensors that cannot come back to the last bit: the logarithm of an exponential, 1 + w of a small w. */
  readonly nearly?: RegExp;
  /** Tensors that published checkpoints have in F32 and this one has not: they come back as F32. */
  readonly widened?: RegExp;
  /** What the pre-tokenizer is: another one than the golden file says, which was told so when it was made. */
  readonly preTokenizer?: string;
  /** Tensors that are F32 here and, by an oversight of the converter, of the file's type there. */
  readonly finer?: RegExp;
  /** Tensors that come back with the factors of config.json, which then names none. */
  readonly folded?: RegExp;
  /** So many rows of the positions belong to no text, and come back as zeros. */
  readonly rowsLost?: number;
  /** Keys that we write beyond llama.cpp's converter, because the numbers would be others without them. */
  readonly beyond?: readonly string[];
  /** Keys that llama.cpp's converter takes from files of its own, and not from the checkpoint. */
  readonly lacking?: readonly string[];
  /** Keys that stand elsewhere in llama.cpp's file. */
  readonly moved?: readonly string[];
}

const gemmaTowers = ['vision_tower.', 'embed_vision.'];

const cases: readonly Case[] = [
  { name: 'cohere2moe', preTokenizer: 'llama-bpe' },
  { name: 'bailingmoe', preTokenizer: 'llama-bpe' },
  { name: 'bailingmoe2', preTokenizer: 'llama-bpe' },
  { name: 'bailingmoe3', nearly: /A_log$/, preTokenizer: 'llama-bpe' },
  { name: 'glm', moved: ['tokenizer.ggml.add_bos_token'] },
  { name: 'glm4' },
  { name: 'glm4v', leftOut: ['visual.'] },
  { name: 'glm4moe' },
  { name: 'glm4vmoe', leftOut: ['visual.'] },
  { name: 'minimaxm2', preTokenizer: 'llama-bpe' },
  { name: 'olmo3' },
  { name: 'exaonemoe', preTokenizer: 'qwen2' },
  { name: 'ernie45moe' },
  { name: 'hunyuanmoe', preTokenizer: 'llama-bpe' },
  { name: 'gpt2' },
  { name: 'hunyuan-dense' },
  { name: 'falcon-h1', preTokenizer: 'falcon-h1', folded: /proj.weight$|embed_tokens|lm_head/, nearly: /A_log$/ },
  { name: 'phi2' },
  { name: 'stablelm' },
  { name: 'stablelm-parallel' },
  { name: 'falcon' },
  { name: 'falcon-40b' },
  { name: 'nemotron', nearly: /norm.weight$/ },
  { name: 'phi3' },
  { name: 'starcoder2', preTokenizer: 'gpt-2' },
  { name: 'embeddinggemma', nearly: /norm.weight$/ },
  {
    name: 'deepseek3',
    preTokenizer: 'llama-bpe',
    beyond: ['deepseek2.expert_gating_func'],
    widened: /e_score_correction_bias$/,
  },
  {
    name: 'deepseek4',
    leftOut: ['mtp.'],
    lacking: ['tokenizer.chat_template'],
    preTokenizer: 'llama-bpe',
  },
  { name: 'glm4moelite' },
  { name: 'gemma2', nearly: /norm.weight$/, beyond: ['gemma2.attention.scale'] },
  { name: 'gemma3', nearly: /norm.weight$/ },
  { name: 'gemma3-vl-wrapper', nearly: /norm.weight$/, leftOut: ['vision_tower.', 'multi_modal_projector.'] },
  { name: 'gemma4', leftOut: gemmaTowers },
  { name: 'gemma4-dense', leftOut: gemmaTowers },
  { name: 'gemma4-moe', leftOut: gemmaTowers },
  { name: 'bert', leftOut: ['pooler.'] },
  { name: 'nomic-bert' },
  { name: 'roberta', leftOut: ['pooler.'], rowsLost: 2 },
  { name: 'xlm-roberta', leftOut: ['pooler.'], rowsLost: 2 },
  { name: 'xlm-roberta-reranker', rowsLost: 2 },
  { name: 'gpt-oss' },
  { name: 'ministral3', leftOut: ['vision_tower.', 'multi_modal_projector.'] },
  { name: 'olmo2' },
  { name: 'qwen3-embedding' },
  { name: 'qwen35', nearly: /A_log$|norm.weight$/ },
  { name: 'qwen35-vl-wrapper', leftOut: ['visual.'], nearly: /A_log$|norm.weight$/ },
  { name: 'qwen35moe', nearly: /A_log$|norm.weight$/ },
  { name: 'granitehybrid', nearly: /A_log$/, preTokenizer: 'gpt-2' },
  { name: 'lfm2moe' },
  { name: 'nemotronh', nearly: /A_log$/, preTokenizer: 'llama-bpe' },
  { name: 'nemotronh-moe', nearly: /A_log$/, preTokenizer: 'llama-bpe', finer: /^blk\.6\.ffn_gate_inp/ },
  { name: 'qwen3vl', leftOut: ['visual.'] },
  {
    name: 'museglimmer',
    nearly: /layernorm.weight$/,
    leftOut: ['vision_tower.', 'vision_adapter.', 'vision_projection.'],
  },
  { name: 'smollm3' },
  { name: 'laguna' },
  { name: 'apertus' },
  { name: 'mimo2' },
  { name: 'llama4', leftOut: ['vision_model.', 'multi_modal_projector.'] },
];

/** What the converter computes with exp, whose last bit differs from one CPU to another. */
const computed = /\.ssm_a$/;

let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quern-architectures-'));
  pool = await TranscodePool.create({ threads: 2 });
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(cases.map((row) => ({ ...row, source: checkpointOf(row.name) ?? '' })))('$name', (row) => {
  const {
    name,
    source,
    leftOut = [],
    nearly,
    finer,
    widened,
    preTokenizer,
    beyond = [],
    lacking = [],
    rowsLost = 0,
    folded,
    moved = [],
  } = row;
  if (source === '') {
    it.skip('its checkpoint is neither in test/models/arch nor in QUERN_MODELS', () => {});
    return;
  }
  let ours: ModelView;
  let theirs: GoldenFile;
  beforeAll(async () => {
    const output = join(folder, `${name}.gguf`);
    const model = await openModel(source);
    await writeModel(model, planConversion(model, 'BF16'), output, { pool });
    await model.close();
    ours = await openGgufModel(output);
    theirs = await goldenOf(source);
  });
  afterAll(() => ours?.close());

  it('has the metadata of llama.cpp, in its order', () => {
    const told = preTokenizer && { 'tokenizer.ggml.pre': { type: 'string', value: preTokenizer } };
    const isTheirs = (key: string) => !isCosmetic(key) && !lacking.includes(key);
    const golden = Object.entries({ ...theirs.metadata, ...told }).filter(([key]) => isTheirs(key));
    const found = [...ours.metadata].filter(([key]) => !isCosmetic(key) && !beyond.includes(key));
    const inOrder = (keys: [string, unknown][]) => keys.map(([key]) => key).filter((key) => !moved.includes(key));
    expect(inOrder(found)).toEqual(inOrder(golden));
    expect(Object.fromEntries(found.map(([key, value]) => [key, goldenValue(key, value)]))).toEqual(
      Object.fromEntries(golden),
    );
  });

  it('has the tensors of llama.cpp, to the last bit', async () => {
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    const compared = ({ name: tensor }: { name: string }) => !finer?.test(tensor);
    const golden = theirs.tensors.filter(compared).sort(byName);
    const found = (await goldenTensors(ours)).filter(compared).sort(byName);
    const hashes = new Set(golden.map(({ sha256 }) => sha256));
    const near = found.map(async (tensor) => {
      if (hashes.has(tensor.sha256) || !computed.test(tensor.name)) return tensor;
      return { ...tensor, sha256: (await nearlyHash(ours.tensors.get(tensor.name)!, hashes)) ?? tensor.sha256 };
    });
    expect(await Promise.all(near)).toEqual(golden);
  });

  it('comes back as the checkpoint', async () => {
    const original = await openHfCheckpoint(source);
    const back = await huggingFaceOf(ours, 'BF16');
    const wanted = [...original.tensors.values()].filter(
      (tensor) => !leftOut.some((start) => coreOf(tensor.name).startsWith(start)),
    );
    const byCore = new Map([...back.tensors.values()].map((tensor) => [coreOf(tensor.name), tensor]));
    expect([...byCore.keys()].sort()).toEqual(wanted.map((tensor) => coreOf(tensor.name)).sort());
    const types = new Map(planPlainCheckpoint(back, 'BF16').tensors.map(({ view, to }) => [view.name, to.name]));
    for (const tensor of wanted) {
      const made = byCore.get(coreOf(tensor.name))!;
      const stored = tensor.packed ? 'BF16' : tensor.dtype.name;
      const dtype = widened?.test(tensor.name) ? 'F32' : stored;
      expect([made.shape, types.get(made.name)], tensor.name).toEqual([tensor.shape, dtype]);
      if (folded?.test(tensor.name)) continue;
      if (isWhole(tensor)) {
        expect(await bytesOf(made), tensor.name).toEqual(await bytesOf(tensor));
        continue;
      }
      const [theirs, values] = [await valuesOf(tensor), rounded(await valuesOf(made), tensor.dtype)];
      if (tensor.name.endsWith('position_embeddings.weight')) theirs.fill(0, 0, rowsLost * tensor.cols);
      const isNear = nearly?.test(tensor.name);
      const room = (value: number) => (isNear ? 1e-6 * Math.abs(value) + 2 ** -24 : 0);
      const same = theirs.every((value, i) => Math.abs(value - values[i]!) <= room(value));
      expect(same, tensor.name).toBe(true);
    }
    await original.close();
  });
});

/** As a folder of this type has them. */
function rounded(values: Float32Array, dtype: DType): Float32Array {
  const { encode, decode } = codecOf(dtype);
  const bytes = new Uint8Array(values.length * dtype.typeSize);
  encode(values, bytes, values.length);
  const result = new Float32Array(values.length);
  decode(bytes, result);
  return result;
}

const isWhole = ({ dtype }: TensorView): boolean => /^I\d/.test(dtype.name);

async function bytesOf(tensor: TensorView): Promise<Uint8Array> {
  const bytes = new Uint8Array(tensor.rows * tensor.rowBytes);
  await tensor.readRows(0, tensor.rows, bytes);
  return bytes;
}

async function valuesOf(tensor: TensorView): Promise<Float32Array> {
  const bytes = await bytesOf(tensor);
  const values = new Float32Array(tensor.rows * tensor.cols);
  codecOf(tensor.dtype).decode(bytes, values);
  return values;
}
