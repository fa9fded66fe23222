// Flags that scale positions against llama.cpp's fields of the same meaning: the same logits. --yarn-attn-factor is not
// among them: llama.cpp 0.5.0 replaces it by its own wherever yarn has any effect.
import { join } from 'node:path';
import { type OverrideOptions, openModel, readLoadOverride } from '@quern/models';
import { referenceDevice } from '@quern/runtime';
import { beforeAll, describe, expect, test } from 'vitest';
import { allLogits, maxDifference, withModel } from '../golden/forward/recorded.ts';
import { type NativeLogitsOptions, nativeLogits, oracleUnavailable } from './src/index.ts';

const file = join(import.meta.dirname, '../models/arch/llama-spm/llama.cpp-f32.gguf');
const [LINEAR, YARN] = [1, 2];
const ids = Int32Array.from({ length: 60 }, (_, i) => (i * 53 + 7) % 250);

async function ours(options: OverrideOptions): Promise<Float32Array> {
  const view = await openModel(file, { override: readLoadOverride(options) });
  return withModel(view, referenceDevice(), { cells: 64, maxOutputs: 64 }, (model) => allLogits(model, ids));
}

const cases: [string, OverrideOptions, NativeLogitsOptions['rope']][] = [
  ['nothing', {}, {}],
  ['a base', { ropeFreqBase: '5000' }, { rope_freq_base: 5000 }],
  ['a base by its key', { overrideKv: ['llama.rope.freq_base=float:5000'] }, { rope_freq_base: 5000 }],
  ['linear', { ropeScaling: 'linear', ropeScale: '4' }, { rope_scaling_type: LINEAR, rope_freq_scale: 0.25 }],
  ['the factor alone', { ropeFreqScale: '0.5' }, { rope_freq_scale: 0.5 }],
  [
    'yarn',
    { ropeScaling: 'yarn', ropeScale: '8', yarnOrigCtx: '32' },
    { rope_scaling_type: YARN, rope_freq_scale: 1 / 8, yarn_orig_ctx: 32 },
  ],
  [
    'yarn with all its numbers',
    {
      ...{ ropeScaling: 'yarn', ropeScale: '4', yarnOrigCtx: '64', yarnExtFactor: '0.6' },
      ...{ yarnBetaFast: '20', yarnBetaSlow: '2' },
    },
    {
      ...{ rope_scaling_type: YARN, rope_freq_scale: 0.25, yarn_orig_ctx: 64, yarn_ext_factor: 0.6 },
      ...{ yarn_beta_fast: 20, yarn_beta_slow: 2 },
    },
  ],
];

describe.skipIf(oracleUnavailable)('positions scaled by flags', () => {
  let plain: Float32Array;
  beforeAll(async () => {
    plain = await ours({});
  });

  test.each(cases)('%s', async (title, options, rope) => {
    const [mine, theirs] = [await ours(options), nativeLogits(file, Array.from(ids), { rope })];
    expect(maxDifference(mine, theirs)).toBeLessThan(1e-4);
    if (title !== 'nothing') expect(maxDifference(mine, plain)).toBeGreaterThan(1e-2);
  });
});

test('a context grows by the factor, or by its key', async () => {
  const context = async (options: OverrideOptions) => {
    const view = await openModel(file, { override: readLoadOverride(options) });
    await view.close();
    return view.metadata.get('llama.context_length')!.value;
  };
  const own = Number(await context({}));
  expect(await context({ ropeScaling: 'yarn', ropeScale: '4' })).toBe(4 * own);
  expect(await context({ overrideKv: ['llama.context_length=int:77'] })).toBe(77);
});

test.each<[string, OverrideOptions, string]>([
  ['a kind without a factor', { ropeScaling: 'yarn' }, 'override-rope'],
  ['an unknown kind', { ropeScaling: 'ntk' }, 'usage-rope'],
  ['both factors', { ropeScale: '2', ropeFreqScale: '0.5' }, 'usage-rope'],
  ['no number', { ropeScale: 'two' }, 'usage-bad-number'],
  ['a key of another architecture', { overrideKv: ['qwen3.context_length=int:77'] }, 'override-unknown-key'],
  ['a key that nothing reads', { overrideKv: ['llama.rope.freq_bass=float:5000'] }, 'override-unknown-key'],
  ['no type', { overrideKv: ['llama.context_length=77'] }, 'usage-override'],
])('refuses %s', async (_, options, code) => {
  const opening = async () => openModel(file, { override: readLoadOverride(options) });
  await expect(opening()).rejects.toMatchObject({ code });
});
