// The flags of llama-quantize against native llama_model_quantize with the same parameters: whole files.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel } from '@quern/checkpoint';
import { openGguf } from '@quern/gguf';
import {
  ggmlType,
  type PlanOptions,
  planTypes,
  readTensorTypes,
  splitName,
  splitPlan,
  writeModel,
} from '@quern/kquant';
import { parseOverride } from '@quern/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type FileTypeName,
  type NativeQuantizeOptions,
  nativeQuantizeModel,
  oracleUnavailable,
} from '../oracle/src/index.ts';
import { scratchFolder } from './scratch-folder.ts';
import { writeSplitGguf } from './split-gguf.ts';
import { type SyntheticModel, syntheticImatrix, writeSyntheticGguf } from './synthetic-gguf.ts';

let folder: string;
let pool: TranscodePool;
beforeAll(async () => {
  pool = await TranscodePool.create({ threads: 2 });
  folder = scratchFolder('quern-flags-');
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

const untied: SyntheticModel = { layers: 9, untied: true };
const rules = (...texts: string[]) => readTensorTypes(texts);

interface Case {
  name: string;
  model?: SyntheticModel;
  type?: FileTypeName;
  native: NativeQuantizeOptions;
  ours: () => PlanOptions | Promise<PlanOptions>;
}

const cases: readonly Case[] = [
  { name: '--pure', native: { pure: true }, ours: () => ({ pure: true }) },
  { name: '--pure, tied', model: { layers: 4 }, native: { pure: true }, ours: () => ({ pure: true }) },
  { name: '--pure, odd rows', model: { layers: 4, cols: 288 }, native: { pure: true }, ours: () => ({ pure: true }) },
  { name: '--leave-output-tensor', native: { quantizeOutputTensor: false }, ours: () => ({ leaveOutputTensor: true }) },
  {
    name: '--token-embedding-type',
    native: { tokenEmbeddingType: 'Q5_1' },
    ours: () => ({ tokenEmbeddingType: ggmlType('q5_1') }),
  },
  {
    name: '--output-tensor-type',
    native: { outputTensorType: 'Q4_1' },
    ours: () => ({ outputTensorType: ggmlType('Q4_1') }),
  },
  {
    name: '--output-tensor-type, tied',
    model: { layers: 4 },
    native: { outputTensorType: 'Q4_1' },
    ours: () => ({ outputTensorType: ggmlType('Q4_1') }),
  },
  {
    name: '--output-tensor-type and --token-embedding-type to F16',
    type: 'F16',
    native: { outputTensorType: 'Q8_0', tokenEmbeddingType: 'BF16' },
    ours: () => ({ outputTensorType: ggmlType('Q8_0'), tokenEmbeddingType: ggmlType('BF16') }),
  },
  {
    name: '--tensor-type, the first that fits; counters pass over it',
    native: {
      tensorTypes: [
        ['attn_v', 'Q8_0'],
        ['blk\\.[0-3]\\.ffn_down', 'Q5_0'],
        ['ffn_(up|down)', 'Q4_1'],
        ['output', 'Q5_1'],
      ],
    },
    ours: async () => ({
      tensorTypes: await rules('ATTN_V=q8_0', 'blk\\.[0-3]\\.ffn_down=Q5_0', 'ffn_(up|down)=Q4_1', 'output=q5_1'),
    }),
  },
  {
    name: '--tensor-type with --pure',
    native: { pure: true, tensorTypes: [['attn_q', 'Q6_K']] },
    ours: async () => ({ pure: true, tensorTypes: await rules('attn_q=Q6_K') }),
  },
  {
    name: '--prune-layers',
    native: { pruneLayers: [2, 5, 8] },
    ours: () => ({ pruneLayers: [2, 5, 8] }),
  },
  {
    name: '--prune-layers, the first ones',
    native: { pruneLayers: [0, 1] },
    ours: () => ({ pruneLayers: [0, 1] }),
  },
  {
    name: '--override-kv of every type, one of which the mixture depends on',
    type: 'Q2_K',
    native: {
      overrides: [
        ['llama.attention.head_count_kv', { int: 1n }],
        ['general.name', { str: 'named' }],
        ['new.float', { float: 0.1 }],
        ['new.bool', { bool: true }],
        ['new.negative', { int: -5n }],
      ],
    },
    ours: () => ({
      overrides: [
        'llama.attention.head_count_kv=int:1',
        'general.name=str:named',
        'new.float=float:0.1',
        'new.bool=bool:true',
        'new.negative=int:-5',
      ].map(parseOverride),
    }),
  },
];

describe.skipIf(oracleUnavailable)('flags, as native', () => {
  for (const { name, model = untied, type = 'Q4_K_M', native, ours } of cases) {
    test(name, async () => {
      const [input, theirs, output] = ['in', 'native', 'ours'].map((part) => join(folder, `${part}.gguf`));
      await writeSyntheticGguf(input!, model);
      nativeQuantizeModel(input!, theirs!, type, native);
      const view = await openGgufModel(input!);
      await writeModel(view, planTypes(view, type, await ours()), output!, { pool, force: true });
      await view.close();
      expect(readFileSync(output!).equals(readFileSync(theirs!))).toBe(true);
    });
  }

  test.each(['COPY', 'COPY without a file type'])('%s', async (which) => {
    const [input, theirs, output] = ['in', 'native', 'ours'].map((part) => join(folder, `${part}.gguf`));
    await writeSyntheticGguf(input!, { ...untied, noFileType: which !== 'COPY' });
    nativeQuantizeModel(input!, theirs!, 'F32', { onlyCopy: true });
    const view = await openGgufModel(input!);
    await writeModel(view, planTypes(view, 'COPY'), output!, { pool, force: true });
    await view.close();
    expect(readFileSync(output!).equals(readFileSync(theirs!))).toBe(true);
  });

  test('--prune-layers with an importance matrix: each layer keeps its own', async () => {
    const [input, theirs, output] = ['in', 'native', 'ours'].map((part) => join(folder, `${part}.gguf`));
    await writeSyntheticGguf(input!, untied);
    const importance = syntheticImatrix(untied);
    nativeQuantizeModel(input!, theirs!, 'Q4_K_S', { pruneLayers: [1, 4], imatrix: importance });
    const view = await openGgufModel(input!);
    const source = { path: input!, datasets: [], chunkCount: 0, entries: importance, unknown: [] };
    const imatrix = {
      ...source,
      importanceOf: async (name: string) => ({ values: importance.get(name)!, neverFired: [] }),
      close: async () => {},
    };
    const plan = planTypes(view, 'Q4_K_S', { pruneLayers: [1, 4], imatrix });
    // The native function is given numbers, not a file; so its output names none.
    for (const key of [...plan.metadata.keys()]) if (key.startsWith('quantize.imatrix.')) plan.metadata.delete(key);
    await writeModel(view, plan, output!, { pool, force: true, imatrix });
    await view.close();
    expect(readFileSync(output!).equals(readFileSync(theirs!))).toBe(true);
  });

  test.each([1, 3])('--keep-split of %i files', async (count) => {
    const [input] = await writeSplitGguf(join(folder, `split${count}`), untied, count);
    nativeQuantizeModel(input!, join(folder, 'native'), 'Q4_K_M', { keepSplit: true });
    const view = await openGgufModel(input!);
    const plan = planTypes(view, 'Q4_K_M', { keepOrder: true });
    const parts = splitPlan(plan, (name) => view.tensors.get(name)!.file);
    expect(parts.length).toBe(count);
    for (const [no, part] of parts.entries()) {
      const name = splitName(join(folder, 'ours.gguf'), no, count);
      await writeModel(view, part, name, { pool, force: true });
      const theirs = name.replace(/ours/, 'native');
      expect(readFileSync(name).equals(readFileSync(theirs))).toBe(true);
    }
    await view.close();
    const joined = await openGguf(splitName(join(folder, 'ours.gguf'), 0, count));
    expect(joined.tensors.size).toBe(plan.tensors.length);
    await joined.close();
    expect(readdirSync(folder).filter((name) => name.startsWith('ours-')).length).toBeGreaterThanOrEqual(count);
  });
});
