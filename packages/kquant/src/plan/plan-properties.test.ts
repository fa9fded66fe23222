// Properties of plans that hold for any model, and sums done by hand.
import { dtypeByName } from '@quern/blocks';
import type { GgufMetadata } from '@quern/gguf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fileTypes, planTypes, readTensorTypes, refuseCompromises } from '../index.ts';
import type { PlannedTensor } from './plan.ts';
import { compareTensorNames, tensorGroup } from './tensor-group.ts';

const metadata: GgufMetadata = new Map([
  ['general.architecture', { type: 'string', value: 'llama' }],
  ['llama.block_count', { type: 'uint32', value: 2 }],
  ['split.count', { type: 'uint16', value: 3 }],
  ['general.file_type', { type: 'uint32', value: 0 }],
  ['general.name', { type: 'string', value: 'x' }],
]);
const tensor = (name: string, shape: number[]): [string, PlannedTensor] => [
  name,
  {
    name,
    shape,
    cols: shape.at(-1)!,
    rows: shape.slice(0, -1).reduce((a, b) => a * b, 1),
    dtype: dtypeByName('F32'),
  },
];
const input = (tensors: [string, PlannedTensor][]) => ({ path: 'x.gguf', metadata, tensors: new Map(tensors) });

/** Q1_0 has blocks of 128 and no smaller type to fall back to, in llama.cpp neither. */
const mixtures = fileTypes.filter(({ name }) => name !== 'Q1_0');

test('every tensor gets whole blocks, and is a fallback exactly when the wanted type has none', () => {
  const dims = fc.tuple(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 1200 }));
  const names = fc.constantFrom('blk.0.attn_v.weight', 'blk.1.ffn_down.weight', 'token_embd.weight', 'output.weight');
  fc.assert(
    fc.property(names, dims, fc.constantFrom(...mixtures), (name, [rows, cols], { name: fileType }) => {
      const plan = planTypes(input([tensor(name, [rows, cols])]), fileType);
      const [planned] = plan.tensors;
      expect(cols % planned!.to.blockSize).toBe(0);
      expect(planned!.bytes).toBe(((rows * cols) / planned!.to.blockSize) * planned!.to.typeSize);
      if (planned!.fallback) expect(cols % dtypeByName(planned!.fallback.wanted).blockSize).not.toBe(0);
      expect(plan.totals.fallbacks).toBe(planned!.fallback ? 1 : 0);
    }),
  );
});

test('totals', () => {
  const plan = planTypes(
    input([
      tensor('output_norm.weight', [256]),
      tensor('blk.0.attn_q.weight', [4, 256]),
      tensor('output.weight', [2, 256]),
    ]),
    'Q4_K_M',
  );
  expect(plan.totals).toEqual({
    weights: 256 + 1024 + 512,
    bytesIn: 4 * (256 + 1024 + 512),
    storedBytes: 4 * (256 + 1024 + 512),
    bytesOut: 4 * 256 + 4 * 144 + 2 * 210,
    bitsPerWeight: (8 * (4 * 256 + 4 * 144 + 2 * 210)) / 1792,
    fallbacks: 0,
    importance: { used: 0, needed: 0, missing: 0 },
    byType: [
      { type: 'Q6_K', tensors: 1, bytes: 420 },
      { type: 'F32', tensors: 1, bytes: 1024 },
      { type: 'Q4_K', tensors: 1, bytes: 576 },
    ],
  });
});

test('metadata: split keys go, the two that quantizing sets come last', () => {
  const { metadata: written } = planTypes(input([tensor('blk.0.attn_q.weight', [4, 256])]), 'Q6_K');
  expect([...written]).toEqual([
    ['general.architecture', { type: 'string', value: 'llama' }],
    ['llama.block_count', { type: 'uint32', value: 2 }],
    ['general.name', { type: 'string', value: 'x' }],
    ['general.quantization_version', { type: 'uint32', value: 2 }],
    ['general.file_type', { type: 'uint32', value: 18 }],
  ]);
  expect(metadata.has('split.count')).toBe(true);
});

test('the order of names is by layer as a number, then by bytes', () => {
  const names = ['blk.10.a', 'output.weight', 'blk.2.b', 'blk.2.a', 'a', 'blk.2.Z'];
  expect(names.sort(compareTensorNames)).toEqual(['a', 'output.weight', 'blk.2.Z', 'blk.2.a', 'blk.2.b', 'blk.10.a']);
});

describe('groups', () => {
  test.each([
    ['output.weight', 'output'],
    ['output_norm.weight', 'other'],
    ['per_layer_token_embd.weight', 'token_embd'],
    ['blk.3.attn_qkv.weight', 'attn_v'],
    ['blk.3.attn_v.bias', 'other'],
    ['blk.3.ffn_down_exps.weight', 'ffn_down'],
    ['blk.3.ffn_gate_up.weight', 'ffn_gate'],
  ])('%s is %s', (name, group) => expect(tensorGroup(name)).toBe(group));
});

test('refusing fallbacks names the first', () => {
  const plan = planTypes(input([tensor('blk.0.attn_q.weight', [4, 32])]), 'Q4_K_M');
  expect(() => refuseCompromises(plan, 'x.gguf')).toThrow(
    expect.objectContaining({ code: 'refused-fallback', tensor: 'blk.0.attn_q.weight' }),
  );
});

test('a file without an architecture or a layer count is no model', () => {
  for (const missing of ['general.architecture', 'llama.block_count']) {
    const rest = new Map([...metadata].filter(([key]) => key !== missing));
    expect(() => planTypes({ ...input([]), metadata: rest }, 'Q6_K')).toThrow(
      expect.objectContaining({ code: 'metadata-missing', file: 'x.gguf' }),
    );
  }
});

test('what llama-quantize passes over in silence is noted', async () => {
  const layered: GgufMetadata = new Map(metadata);
  layered.set('llama.attention.head_count_kv', { type: 'array', of: 'uint32', value: [1, 1] });
  const twoLayers = input([tensor('blk.0.attn_q.weight', [4, 256]), tensor('blk.1.attn_q.weight', [4, 256])]);
  const pruned = planTypes({ ...twoLayers, metadata: layered }, 'Q6_K', { pruneLayers: [0] });
  expect(pruned.notes).toEqual(['llama.attention.head_count_kv still has a value for each of the 2 layers.']);
  const tensorTypes = await readTensorTypes(['attn_q=Q8_0']);
  expect(planTypes(twoLayers, 'F16', { tensorTypes }).notes).toEqual([
    'Types given by name are ignored by F16, as llama-quantize does.',
  ]);
});

test('a mixture that needs the layer of an expert refuses a name without one', () => {
  const experts: GgufMetadata = new Map(metadata);
  experts.set('llama.expert_count', { type: 'uint32', value: 8 });
  const model = { ...input([tensor('mtp.ffn_down.weight', [4, 256])]), metadata: experts };
  expect(() => planTypes(model, 'Q4_K_M')).toThrow(expect.objectContaining({ code: 'tensor-without-layer' }));
  expect(planTypes(model, 'Q4_K_M', { pure: true }).tensors[0]!.to.name).toBe('Q4_K');
});

test.each(['Q1_0', 'Q2_0', 'TQ1_0', 'TQ2_0'])('%s says what models it is for', (type) => {
  const model = input([tensor('blk.0.attn_q.weight', [4, 256])]);
  expect(planTypes(model, type).notes).toEqual([expect.stringMatching(/trained with weights of .* ruined by it/)]);
  expect(planTypes(model, 'Q2_K').notes).toEqual([]);
});

test('Q1_0 has no fallback for rows that are no multiple of 128', () => {
  const model = input([tensor('blk.0.attn_q.weight', [4, 64])]);
  expect(() => planTypes(model, 'Q1_0')).toThrow(expect.objectContaining({ code: 'no-smaller-blocks' }));
});

test('blocks that predict further tokens get Q5_K or more, unless a type is asked for', async () => {
  const draft: GgufMetadata = new Map(metadata);
  draft.set('llama.nextn_predict_layers', { type: 'uint32', value: 1 });
  const tensors = [0, 1].map((block) => tensor(`blk.${block}.attn_q.weight`, [4, 256]));
  const model = { ...input(tensors), metadata: draft };
  const typesOf = (type: string, options = {}) => planTypes(model, type, options).tensors.map(({ to }) => to.name);
  expect(typesOf('Q4_K_M')).toEqual(['Q4_K', 'Q5_K']);
  expect(typesOf('Q8_0')).toEqual(['Q8_0', 'Q8_0']);
  expect(typesOf('Q4_K_M', { pure: true })).toEqual(['Q4_K', 'Q4_K']);
  expect(typesOf('Q4_K_M', { tensorTypes: await readTensorTypes(['attn_q=Q3_K']) })).toEqual(['Q3_K', 'Q3_K']);
});
