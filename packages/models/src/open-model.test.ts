// Checkpoint folders as people have them. The truth is the same model in the usual layout, which the golden tests compare
// with llama.cpp's converter.
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dtypeByName } from '@quern/blocks';
import { type ModelView, openHfCheckpoint } from '@quern/checkpoint';
import { openSafetensors, writeSafetensors } from '@quern/safetensors';
import { openFile } from '@quern/source';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModel } from './open-model.ts';
import { plainCheckpointOf } from './to-huggingface/plain-checkpoint-of.ts';

const arch = (name: string) => fileURLToPath(new URL(`../../../test/models/arch/${name}`, import.meta.url));
let root: string;
let dir: string;
let usual: ModelView;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'quern-folders-'));
});
afterEach(async () => {
  await usual.close();
  await rm(root, { recursive: true });
});

/** A copy of a model to be changed. */
async function folder(name: string): Promise<void> {
  // The folder's name is in the metadata.
  dir = join(root, name);
  await cp(arch(name), dir, { recursive: true });
  await rm(join(dir, 'expected.safetensors'), { force: true });
  usual = await openModel(arch(name));
}

/** Writes tensors of the folder's model.safetensors into files of other names. */
async function rewrite(
  files: Record<string, (name: string) => boolean>,
  {
    metadata = [],
    rename = (name) => name,
    added = [],
  }: { metadata?: [string, string][]; rename?: (name: string) => string; added?: string[] } = {},
): Promise<string[]> {
  const source = await openFile(join(dir, 'model.safetensors'));
  const { tensors } = await openSafetensors(source);
  const all = await Promise.all(
    [...tensors.values()].map(async (tensor) => ({
      ...tensor,
      name: rename(tensor.name),
      data: [await source.read(tensor.begin, tensor.end - tensor.begin)],
    })),
  );
  await source.close();
  const scalar = { dtype: dtypeByName('F32'), shape: [1], data: [new Uint8Array(4)] };
  const whole = [...all, ...added.map((name) => ({ ...scalar, name }))];
  await rm(join(dir, 'model.safetensors'));
  for (const [file, belongs] of Object.entries(files))
    await writeSafetensors(
      join(dir, file),
      whole.filter(({ name }) => belongs(name)),
      new Map(metadata),
    );
  return all.map(({ name }) => name);
}

async function contents(view: ModelView): Promise<Map<string, unknown>> {
  const read = async ({
    dtype,
    shape,
    rows,
    rowBytes,
    readRows,
  }: ModelView['tensors'] extends ReadonlyMap<string, infer T> ? T : never) => {
    const bytes = new Uint8Array(rows * rowBytes);
    await readRows(0, rows, bytes);
    return { dtype: dtype.name, shape, hash: createHash('sha256').update(bytes).digest('hex') };
  };
  const entries = await Promise.all(
    [...view.tensors].map(async ([name, tensor]) => [name, await read(tensor)] as const),
  );
  return new Map(entries.sort());
}

async function expectUsual(): Promise<readonly string[]> {
  const view = await openModel(dir);
  try {
    expect([...view.metadata]).toEqual([...usual.metadata]);
    expect(await contents(view)).toEqual(await contents(usual));
    return view.notes ?? [];
  } finally {
    await view.close();
  }
}

const isEarly = (name: string) => /layers\.[01]\.|embed/.test(name);
const isLate = (name: string) => !isEarly(name);

describe('the weights', () => {
  it.each([
    ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    ['model_a.safetensors', 'model_b.safetensors'],
    ['first half.safetensors', 'rest.safetensors'],
  ])('in %s and %s, without an index', async (first, second) => {
    await folder('qwen2');
    await rewrite({ [first]: isEarly, [second]: isLate });
    expect(await expectUsual()).toContain(`no index names the files: all 2 are read (${first}, ${second})`);
  });

  it('stored once under the name of the head, where config.json ties the two', async () => {
    await folder('qwen2');
    expect(JSON.parse(await readFile(join(dir, 'config.json'), 'utf8')).tie_word_embeddings).toBe(true);
    const [embedding, head] = ['model.embed_tokens.weight', 'lm_head.weight'] as const;
    await rewrite(
      { 'model.safetensors': () => true },
      {
        metadata: [
          [embedding, head],
          ['unknown.buffer', head],
        ],
        rename: (name) => (name === embedding ? head : name),
      },
    );
    await expectUsual();
  });

  it('stored once, where config.json does not tie the two: the head is there', async () => {
    await folder('qwen2');
    await rewrite({ 'model.safetensors': () => true }, { metadata: [['lm_head.weight', 'model.embed_tokens.weight']] });
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
    await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, tie_word_embeddings: false }));
    const view = await openModel(dir);
    const read = await contents(view);
    await view.close();
    expect(read.get('output.weight')).toEqual((await contents(usual)).get('token_embd.weight'));
  });
});

describe('a KV cache that alone is quantized', () => {
  const groups = { group_0: { targets: [], weights: null, input_activations: null, output_activations: null } };
  const scheme = { num_bits: 8, type: 'float', strategy: 'tensor', dynamic: false, symmetric: true };
  const ct = { quant_method: 'compressed-tensors', format: 'dense', quantization_status: 'frozen', ignore: [] };
  it.each<[string, object | undefined, string[]]>([
    ['no groups', { ...ct, config_groups: {}, kv_cache_scheme: scheme }, ['k_scale', 'v_scale']],
    ['a group without weights', { ...ct, config_groups: groups, kv_cache_scheme: scheme }, ['k_scale', 'v_scale']],
    [
      'ModelOpt',
      { quant_method: 'modelopt', quant_algo: null, kv_cache_quant_algo: 'FP8' },
      ['k_proj.k_scale', 'v_proj.v_scale'],
    ],
    ['no word of it', undefined, ['attn.kv_scale']],
  ])('%s: its scales are left out with a note, and counted', async (_, quantization_config, scales) => {
    await folder('qwen2');
    const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
    await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, quantization_config }));
    const added = [0, 1].flatMap((layer) => scales.map((name) => `model.layers.${layer}.self_attn.${name}`));
    await rewrite({ 'model.safetensors': () => true }, { added });
    const count = added.length;
    expect(await expectUsual()).toContain(
      `left out, for rounding the KV cache: ${count} tensors, the first ${[...added].sort()[0]}`,
    );
  });
});

// What llama.cpp's converter writes of these three files (it lists names in any order).
it('chat templates in a folder of their own, which a plain copy of the checkpoint keeps', async () => {
  await folder('qwen2');
  await mkdir(join(dir, 'additional_chat_templates'));
  await writeFile(join(dir, 'chat_template.jinja'), 'usual');
  for (const name of ['tool_use', 'rag']) await writeFile(join(dir, `additional_chat_templates/${name}.jinja`), name);
  await writeFile(join(dir, 'additional_chat_templates/README.md'), 'no template');
  const config = JSON.parse(await readFile(join(dir, 'tokenizer_config.json'), 'utf8'));
  await writeFile(join(dir, 'tokenizer_config.json'), JSON.stringify({ ...config, chat_template: undefined }));
  const view = await openModel(dir);
  const templates = [...view.metadata].filter(([key]) => key.startsWith('tokenizer.chat_template'));
  await view.close();
  expect(new Map(templates)).toEqual(
    new Map([
      ['tokenizer.chat_template', { type: 'string', value: 'usual' }],
      ['tokenizer.chat_template.rag', { type: 'string', value: 'rag' }],
      ['tokenizer.chat_template.tool_use', { type: 'string', value: 'tool_use' }],
      ['tokenizer.chat_templates', { type: 'array', of: 'string', value: ['rag', 'tool_use'] }],
    ]),
  );
  const checkpoint = await openHfCheckpoint(dir);
  const { sideFiles } = await plainCheckpointOf(checkpoint, 'BF16');
  await checkpoint.close();
  const kept = [...sideFiles].filter(([name]) => name.includes('template'));
  expect(kept.map(([name, content]) => [name, Buffer.from(content).toString()])).toEqual([
    ['chat_template.jinja', 'usual'],
    ['additional_chat_templates/rag.jinja', 'rag'],
    ['additional_chat_templates/tool_use.jinja', 'tool_use'],
  ]);
});

it('JSON as Python and Windows write it, in every file', async () => {
  await folder('qwen2');
  const shard = 'model-00001-of-00001.safetensors';
  const names = await rewrite({ [shard]: () => true });
  const weight_map = Object.fromEntries(names.map((name) => [name, shard]));
  await writeFile(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
  const texts = [
    'config.json',
    'generation_config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'model.safetensors.index.json',
  ];
  for (const name of texts) {
    const text = await readFile(join(dir, name), 'utf8');
    await writeFile(
      join(dir, name),
      `\ufeff${text.replace('{', '{"initializer_range": NaN, "task_specific_params": [Infinity, -Infinity],')}`,
    );
  }
  await expectUsual();
});
