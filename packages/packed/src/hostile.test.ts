// Checkpoints that lie: one test per cause, each a named error before anything of the claimed size is allocated.
import { QuernError } from '@quern/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPacked, schemeOf } from './index.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { byName, stored } from './testing/stored.ts';

type Json = Record<string, unknown>;

const awq = { quant_method: 'awq', version: 'gemm', bits: 4, group_size: 32, zero_point: true };
const gptq = { quant_method: 'gptq', bits: 4, group_size: 32, desc_act: false, sym: false };
const ct = (weights: Json, more: Json = {}) => ({
  quant_method: 'compressed-tensors',
  format: 'pack-quantized',
  config_groups: { group_0: { targets: ['Linear'], weights } },
  ...more,
});
const ctWeights = { num_bits: 4, type: 'int', symmetric: true, strategy: 'group', group_size: 32 };
const mlx = { group_size: 32, bits: 4 };
const fp8 = { quant_method: 'fp8', weight_block_size: [32, 32] };
const nvfp4 = { quant_method: 'modelopt', quant_algo: 'NVFP4', group_size: 16 };
const int4 = { quant_method: 'modelopt', quant_algo: 'W4A16_AWQ', group_size: 32 };

/** `m.<part>`, of ones unless `fill` says otherwise. */
function part(name: string, dtype: string, shape: number[], fill = 1): StoredTensor {
  const width = /64$/.test(dtype) ? 8 : /32$/.test(dtype) ? 4 : /16$/.test(dtype) ? 2 : 1;
  const bytes = new Uint8Array(shape.reduce((product, size) => product * size, width));
  for (let at = 0; at < bytes.length; at += width) bytes[at] = fill;
  return stored(`m.${name}`, dtype, shape, bytes);
}

const awqParts = () => [part('qweight', 'I32', [64, 4]), part('qzeros', 'I32', [2, 4]), part('scales', 'F16', [2, 32])];
const gptqParts = () => [
  part('qweight', 'I32', [8, 32]),
  part('qzeros', 'I32', [2, 4]),
  part('scales', 'F16', [2, 32]),
];
const words = (name: string, values: readonly number[]) =>
  stored(`m.${name}`, 'I32', [values.length], new Uint8Array(Int32Array.from(values).buffer));
const ctParts = () => [
  part('weight_packed', 'I32', [8, 8]),
  part('weight_scale', 'BF16', [8, 2]),
  stored('m.weight_shape', 'I64', [2], new Uint8Array(BigInt64Array.of(8n, 64n).buffer)),
];
const mlxParts = () => [part('weight', 'U32', [8, 8]), part('scales', 'F16', [8, 2]), part('biases', 'F16', [8, 2])];
const fp8Parts = () => [part('weight', 'F8_E4M3', [40, 64]), part('weight_scale_inv', 'F32', [2, 2])];
const nvfp4Parts = () => [
  part('weight', 'U8', [8, 32]),
  part('weight_scale', 'F8_E4M3', [8, 4]),
  stored('m.weight_scale_2', 'F32', [], new Uint8Array(4)),
];
const int4Parts = () => [part('weight', 'U8', [4, 64]), part('weight_scale', 'F16', [8, 2])];
const mxfp4Parts = () => [
  stored('m_blocks', 'U8', [2, 4, 2, 16], new Uint8Array(256)),
  stored('m_scales', 'U8', [2, 4, 2], new Uint8Array(16)),
];

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (error instanceof QuernError) return error.code;
    throw error;
  }
  return 'none';
}

/** The code with which the checkpoint is refused: when it is understood, opened, or read. */
const refusal = (quantization_config: Json, tensors: readonly StoredTensor[]): Promise<string> =>
  codeOf(async () => {
    const scheme = schemeOf({ quantization_config });
    if (!scheme) throw new Error('no scheme');
    for (const weight of (await openPacked(scheme, byName(...tensors))).values()) {
      const rows = weight.shape.slice(0, -1).reduce((product, size) => product * size, 1);
      await weight.readRows(0, rows, new Float32Array(rows * (weight.shape.at(-1) as number)));
    }
  });

/** The parts with some replaced (by name) or left out. */
const changed = (parts: readonly StoredTensor[], change: Record<string, StoredTensor | undefined>) =>
  parts.flatMap((one) => {
    const own = one.name.replace(/^m[._]/, '');
    if (!(own in change)) return one;
    return change[own] ?? [];
  });

const good: [string, Json, () => StoredTensor[]][] = [
  ['awq', awq, awqParts],
  ['gptq', gptq, gptqParts],
  ['compressed-tensors', ct(ctWeights), ctParts],
  ['mlx', mlx, mlxParts],
  ['fp8', fp8, fp8Parts],
  ['modelopt nvfp4', nvfp4, nvfp4Parts],
  ['modelopt int4', int4, int4Parts],
  ['mxfp4', { quant_method: 'mxfp4' }, mxfp4Parts],
];

it('says what to do about parts that do not fit the configuration', async () => {
  const opening = openPacked(schemeOf({ quantization_config: { ...awq, group_size: 64 } })!, byName(...awqParts()));
  await expect(opening).rejects.toMatchObject({ remedy: expect.stringContaining('quantization_config') });
});

it.each(good)('%s is read when nothing is wrong', async (_, config, parts) => {
  expect(await refusal(config, parts())).toBe('none');
});

describe.each(good)('%s', (_, config, parts) => {
  const names = parts().map((one) => one.name);

  it.each(names)('refuses the lack of %s', async (missing) => {
    const rest = parts().filter((one) => one.name !== missing);
    const code = await refusal(config, rest);
    expect(['packed-part-missing', 'packed-nothing-packed']).toContain(code);
  });

  it.each(names)('refuses another dtype of %s', async (wrong) => {
    const other = (one: StoredTensor) => stored(one.name, 'BOOL', one.shape, new Uint8Array(one.rows * one.cols));
    const code = await refusal(
      config,
      parts().map((one) => (one.name === wrong ? other(one) : one)),
    );
    expect(code).toBe('packed-part-dtype');
  });

  it.each(names)('refuses another shape of %s', async (wrong) => {
    const other = (one: StoredTensor) => {
      const shape = [3, ...one.shape];
      return stored(one.name, one.dtype.name, shape, new Uint8Array(one.rows * one.cols * 3 * one.dtype.typeSize));
    };
    const code = await refusal(
      config,
      parts().map((one) => (one.name === wrong ? other(one) : one)),
    );
    expect(code).toBe('packed-part-shape');
  });

  it('refuses an empty weight', async () => {
    const [first, ...rest] = parts();
    const empty = stored(
      first.name,
      first.dtype.name,
      first.shape.map(() => 0),
      new Uint8Array(0),
    );
    expect(await refusal(config, [empty, ...rest])).toBe('packed-part-shape');
  });

  it('refuses a checkpoint without packed tensors', async () => {
    expect(await refusal(config, [part('norm.weight', 'F32', [8])])).toBe('packed-nothing-packed');
  });
});

describe('refuses a configuration that contradicts the tensors', () => {
  it.each<[string, Json, readonly StoredTensor[], string]>([
    ['awq: groups', { ...awq, group_size: 64 }, awqParts(), 'packed-part-shape'],
    ['awq: other groups', { ...awq, group_size: 24 }, awqParts(), 'packed-part-shape'],
    ['gptq: bits', { ...gptq, bits: 8 }, gptqParts(), 'packed-part-shape'],
    ['gptq: words', { ...gptq, bits: 3 }, gptqParts(), 'packed-config-contradicts'],
    ['gptq: other groups', { ...gptq, group_size: 24 }, gptqParts(), 'packed-part-shape'],
    ['gptq: sym', { ...gptq, sym: true }, gptqParts(), 'packed-config-contradicts'],
    ['compressed-tensors: bits', ct({ ...ctWeights, num_bits: 8 }), ctParts(), 'packed-config-contradicts'],
    ['compressed-tensors: groups', ct({ ...ctWeights, group_size: 64 }), ctParts(), 'packed-part-shape'],
    ['compressed-tensors: 24', ct({ ...ctWeights, group_size: 24 }), ctParts(), 'packed-part-shape'],
    ['compressed-tensors: type', ct({ ...ctWeights, type: 'float' }), ctParts(), 'packed-config-contradicts'],
    ['mlx: bits', { ...mlx, bits: 8 }, mlxParts(), 'packed-part-shape'],
    ['mlx: words', { ...mlx, bits: 6 }, mlxParts(), 'packed-config-contradicts'],
    ['mlx: one group', { ...mlx, group_size: 128 }, mlxParts(), 'packed-part-shape'],
    ['mlx: a module that is not quantized', { ...mlx, m: false }, mlxParts(), 'packed-config-contradicts'],
    ['fp8: tiles', { ...fp8, weight_block_size: [128, 128] }, fp8Parts(), 'packed-part-shape'],
    ['modelopt: blocks', { ...nvfp4, group_size: 32 }, nvfp4Parts(), 'packed-config-contradicts'],
    ['modelopt: groups', { ...int4, group_size: 64 }, int4Parts(), 'packed-part-shape'],
    ['modelopt: algorithm', { ...int4, quant_algo: 'FP8' }, int4Parts(), 'packed-part-dtype'],
  ])('%s', async (_, config, parts, code) => {
    expect(await refusal(config, parts)).toBe(code);
  });
});

describe('refuses groups by column', () => {
  const actOrder = { ...gptq, desc_act: true };
  const index = Array.from({ length: 64 }, (_, column) => column >> 5);
  const turned = index.toReversed();

  it.each([-1, 2, 2 ** 31 - 1])('out of range: %i', async (group) => {
    const parts = [...gptqParts(), words('g_idx', [group, ...index.slice(1)])];
    expect(await refusal(actOrder, parts)).toBe('packed-g-idx-out-of-range');
  });
  it('of another length', async () => {
    expect(await refusal(actOrder, [...gptqParts(), words('g_idx', [0])])).toBe('packed-part-shape');
  });
  it('that are missing', async () => {
    expect(await refusal(actOrder, gptqParts())).toBe('packed-part-missing');
  });
  it('that desc_act denies', async () => {
    expect(await refusal(gptq, [...gptqParts(), words('g_idx', turned)])).toBe('packed-config-contradicts');
    expect(await refusal(actOrder, [...gptqParts(), words('g_idx', turned)])).toBe('none');
    expect(await refusal(gptq, [...gptqParts(), words('g_idx', index)])).toBe('none');
  });
  it('that actorder denies', async () => {
    const parts = [...ctParts(), words('weight_g_idx', turned)];
    expect(await refusal(ct(ctWeights), parts)).toBe('packed-config-contradicts');
    expect(await refusal(ct({ ...ctWeights, actorder: 'group' }), parts)).toBe('none');
    expect(await refusal(ct({ ...ctWeights, actorder: 'group' }), ctParts())).toBe('packed-part-missing');
  });
});

describe('refuses scales that are not finite', () => {
  const half = (name: string, dtype: string, shape: number[], pattern: number) => {
    const bytes = new Uint8Array(shape.reduce((product, size) => product * size, 2));
    new DataView(bytes.buffer).setUint16(bytes.length - 2, pattern, true);
    return stored(`m.${name}`, dtype, shape, bytes);
  };
  const INFINITY = 0x7c00;
  const NAN = 0x7e00;

  it.each<[string, Json, readonly StoredTensor[]]>([
    ['awq', awq, changed(awqParts(), { scales: half('scales', 'F16', [2, 32], INFINITY) })],
    ['gptq', gptq, changed(gptqParts(), { scales: half('scales', 'F16', [2, 32], NAN) })],
    [
      'compressed-tensors',
      ct(ctWeights),
      changed(ctParts(), { weight_scale: half('weight_scale', 'BF16', [8, 2], 0x7f80) }),
    ],
    ['mlx scales', mlx, changed(mlxParts(), { scales: half('scales', 'F16', [8, 2], NAN) })],
    ['mlx offsets', mlx, changed(mlxParts(), { biases: half('biases', 'F16', [8, 2], INFINITY) })],
    ['fp8', fp8, changed(fp8Parts(), { weight_scale_inv: half('weight_scale_inv', 'BF16', [2, 2], 0xff80) })],
    ['nvfp4', nvfp4, changed(nvfp4Parts(), { weight_scale: part('weight_scale', 'F8_E4M3', [8, 4], 0x7f) })],
    ['nvfp4, negative', nvfp4, changed(nvfp4Parts(), { weight_scale: part('weight_scale', 'F8_E4M3', [8, 4], 0x81) })],
    ['int4', int4, changed(int4Parts(), { weight_scale: half('weight_scale', 'F16', [8, 2], NAN) })],
    [
      'mxfp4',
      { quant_method: 'mxfp4' },
      changed(mxfp4Parts(), { scales: stored('m_scales', 'U8', [2, 4, 2], new Uint8Array(16).fill(255)) }),
    ],
  ])('%s', async (_, config, parts) => {
    expect(await refusal(config, parts)).toBe('packed-scale-not-finite');
  });

  it('a divisor of 0', async () => {
    const config = ct({ num_bits: 4, type: 'float', group_size: 16 }, { format: 'nvfp4-pack-quantized' });
    const parts = [
      part('weight_packed', 'U8', [8, 32]),
      part('weight_scale', 'F8_E4M3', [8, 4]),
      stored('m.weight_global_scale', 'F32', [1], new Uint8Array(4)),
    ];
    expect(await refusal(config, parts)).toBe('packed-scale-not-finite');
  });
});

it("refuses GPTQ v1's zero that two programs read differently", async () => {
  const zeros = changed(gptqParts(), { qzeros: part('qzeros', 'I32', [2, 4], 0x1f) });
  expect(await refusal(gptq, zeros)).toBe('packed-zero-ambiguous');
  expect(await refusal({ ...gptq, checkpoint_format: 'gptq_v2' }, zeros)).toBe('none');
});

it('refuses rows too long to hold, without reading them', async () => {
  const huge = (name: string, dtype: string, shape: number[]): StoredTensor => ({
    ...part(name, dtype, [1, 1]),
    shape,
    rows: shape[0],
    cols: shape[1],
    readRows: () => Promise.reject(new Error('read')),
  });
  const cols = 2 ** 30;
  const tensors = [
    huge('qweight', 'I32', [cols, 1]),
    huge('qzeros', 'I32', [cols / 32, 1]),
    huge('scales', 'F16', [cols / 32, 8]),
  ];
  expect(await refusal(awq, tensors)).toBe('packed-too-large');
});

it('refuses a shape of compressed-tensors that its words cannot have', async () => {
  for (const shape of [
    [8n, 2n ** 62n],
    [-8n, 64n],
    [8n, 65n],
    [7n, 64n],
    [8n, 0n],
  ]) {
    const weight_shape = stored('m.weight_shape', 'I64', [2], new Uint8Array(BigInt64Array.from(shape).buffer));
    const code = await refusal(ct(ctWeights), changed(ctParts(), { weight_shape }));
    expect(code).toBe('packed-config-contradicts');
  }
});

it('refuses a weight that is stored plainly too', async () => {
  expect(await refusal(awq, [...awqParts(), part('weight', 'F16', [32, 64])])).toBe('packed-name-taken');
});

it('refuses FP8 weights without scales', async () => {
  const bare = stored('n.weight', 'F8_E4M3', [4, 4], new Uint8Array(16));
  expect(await refusal(fp8, [...fp8Parts(), bare])).toBe('packed-part-missing');
});

it('refuses rows that do not exist', async () => {
  const scheme = schemeOf({ quantization_config: awq });
  const weight = scheme && (await openPacked(scheme, byName(...awqParts()))).get('m.weight');
  if (!weight) throw new Error('no weight');
  for (const [first, count, length] of [
    [31, 2, 128],
    [-1, 1, 64],
    [0, 1, 63],
    [0.5, 1, 64],
  ]) {
    expect(await codeOf(() => weight.readRows(first, count, new Float32Array(length)))).toBe(
      'packed-rows-out-of-range',
    );
  }
  expect(await codeOf(() => weight.readGroups?.(32, 1))).toBe('packed-rows-out-of-range');
  expect(await codeOf(() => weight.exact[0].readRows(0, 1, new Uint8Array(1)))).toBe('packed-rows-out-of-range');
});

it('refuses scales that F16 blocks cannot hold', async () => {
  const bytes = new Uint8Array(new Uint16Array(16).fill(0x4780).buffer); // 65536 in BF16
  const parts = changed(ctParts(), { weight_scale: stored('m.weight_scale', 'BF16', [8, 2], bytes) });
  const scheme = schemeOf({ quantization_config: ct(ctWeights) });
  const weight = scheme && (await openPacked(scheme, byName(...parts))).get('m.weight');
  if (!weight) throw new Error('no weight');
  expect(await codeOf(() => weight.exact[0].readRows(0, 1, new Uint8Array(36)))).toBe('packed-scale-overflow');
});

it('does not hang on patterns that would make others backtrack', async () => {
  // One step of a matcher that tries every way takes 2^200 here.
  const name = `m${'.a'.repeat(200)}!`;
  const parts = ctParts().map((one) => ({ ...one, name: one.name.replace('m.', `${name}.`) }));
  const weights = { weights: ctWeights };
  const groups = {
    group_0: { ...weights, targets: ['re:m((\\.a)+)+$', 're:(.*a){9}$', 're:m.*!!'] },
    group_1: { ...weights, targets: ['Linear'] },
  };
  const scheme = schemeOf({ quantization_config: { ...ct({}), config_groups: groups } });
  if (!scheme) throw new Error('no scheme');
  expect([...(await openPacked(scheme, byName(...parts))).keys()]).toEqual([`${name}.weight`]);
  // There may be as many patterns and names as a file has room for.
  const many = Array.from({ length: 200 }, () => 're:(.*[.a]?){300}!!');
  const costly = { group_0: { ...weights, targets: many }, group_1: { ...weights, targets: ['Linear'] } };
  expect(await refusal({ ...ct({}), config_groups: costly }, parts)).toBe('packed-pattern-too-costly');
});

describe.each(good)('%s, changed at random', (_, config, parts) => {
  const names = parts().map((one) => one.name);
  const size = fc.constantFrom(0, 1, 2, 3, 4, 8, 16, 31, 32, 33, 64);
  const value = fc.constantFrom<unknown>(
    -1,
    0,
    1,
    2,
    3,
    4,
    8,
    16,
    32,
    64,
    1e9,
    0.5,
    true,
    false,
    null,
    'gemm',
    [],
    {},
    [16, 16],
  );

  it('is read or refused by name, and never read beyond its tensors', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          changes: fc.array(
            fc.record({
              name: fc.constantFrom(...names, 'm.g_idx', 'm.weight_zero_point', 'm.pre_quant_scale'),
              dtype: fc.constantFrom('I32', 'U8', 'F16', 'F32', 'F8_E4M3', 'I64', 'U32', 'I8'),
              shape: fc.array(size, { maxLength: 3 }),
              fill: fc.nat(255),
            }),
            { maxLength: 3 },
          ),
          settings: fc.array(fc.tuple(fc.constantFrom(...Object.keys(config), 'sym', 'desc_act'), value), {
            maxLength: 2,
          }),
        }),
        async ({ changes, settings }) => {
          const tensors = byName(...parts());
          for (const { name, dtype, shape, fill } of changes) {
            const bytes =
              part('', dtype, shape).rowBytes * shape.slice(0, -1).reduce((product: number, one) => product * one, 1);
            tensors.set(name, stored(name, dtype, shape, new Uint8Array(bytes).fill(fill)));
          }
          // Errors that are no QuernError, those of `stored` among them, fail the test.
          const code = await refusal({ ...config, ...Object.fromEntries(settings) }, [...tensors.values()]);
          expect(code).toMatch(/^(none$|packed-)/);
        },
      ),
      { numRuns: 300 },
    );
  });
});
