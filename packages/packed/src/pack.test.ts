// Writing, proved by reading: what a packer writes opens under the configuration that it writes, with the same codes;
// and reading a file of the format and packing it again gives its bytes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dtypeByName, f16ToF32, f32ToF16 } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { openSafetensors } from '@quern/safetensors';
import { memorySource } from '@quern/source';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dequantize, type GroupedRows, openPacked, type Packer, type PackOptions, packers, schemeOf } from './index.ts';
import { byName, stored } from './testing/stored.ts';

const NAME = 'model.layers.0.mlp.up_proj.weight';
const making = { trueSequential: false };
const MODULE = NAME.slice(0, -'.weight'.length);

/** Opens what `packer` writes, by what it writes into config.json and beside it. */
async function reopen(packer: Packer, weight: GroupedRows, options: PackOptions) {
  const parts = packer.pack(weight, options);
  const tensors = packer
    .tensorsOf(NAME, [weight.rows, weight.cols], options)
    .map(({ part, name, dtype, shape }) => stored(name, dtype.name, shape, parts.get(part) as Uint8Array));
  expect(tensors.length).toBe(parts.size);
  const { quantization_config, extraConfig, sideFiles } = packer.config(
    options,
    {
      packed: [MODULE],
      plain: ['lm_head'],
    },
    making,
  );
  const side = sideFiles?.get('hf_quant_config.json') as Record<string, unknown> | undefined;
  const scheme = schemeOf(JSON.parse(JSON.stringify({ quantization_config, ...extraConfig })), side);
  if (!scheme) throw new Error('no scheme');
  const opened = (await openPacked(scheme, byName(...tensors))).get(NAME);
  if (!opened?.readGroups) throw new Error('no groups');
  return { parts, opened, groups: await opened.readGroups(0, weight.rows) };
}

/** A weight that `packer` can hold, of any of its bits, group sizes and shapes. */
function weightFor(packer: Packer): fc.Arbitrary<{ weight: GroupedRows; options: PackOptions }> {
  const { bits, groupSizes, symmetric, actOrder, rowsMultipleOf, colsMultipleOf, scaleDTypes, minZero } = packer.limits;
  return fc
    .record({
      bits: fc.constantFrom(...bits),
      groupSize: fc.constantFrom(...groupSizes),
      symmetric: fc.constantFrom(...symmetric),
      actOrder: fc.constantFrom(...(actOrder ? [false, true] : [false])),
      scaleDType: fc.constantFrom(...scaleDTypes),
      rowUnits: fc.integer({ min: 1, max: rowsMultipleOf > 8 ? 2 : 7 }),
      colUnits: fc.integer({ min: 1, max: 3 }),
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    })
    .map(({ rowUnits, colUnits, seed, ...options }) => {
      const rows = rowUnits * rowsMultipleOf;
      const cols = colUnits * (options.groupSize === -1 ? Math.max(colsMultipleOf, 5) : options.groupSize);
      const groupSize = options.groupSize === -1 ? cols : options.groupSize;
      const groups = cols / groupSize;
      const random = randomFrom(seed);
      const top = 2 ** options.bits - 1;
      const weight: GroupedRows = {
        rows,
        cols,
        groupSize,
        bits: options.bits,
        codes: Uint8Array.from({ length: rows * cols }, () => random(0, top)),
        // F16 and BF16 both hold seven bits.
        scales: Float32Array.from({ length: rows * groups }, () => random(64, 127) * 2 ** -random(9, 15)),
        ...(!options.symmetric && {
          zeros: Uint8Array.from({ length: rows * groups }, () => random(minZero, top)),
        }),
        ...(options.actOrder && { groupOf: Int32Array.from({ length: cols }, () => random(0, groups - 1)) }),
      };
      return { weight, options };
    });
}

/** Numerical Recipes' linear congruence: integers from `low` to `high`. */
function randomFrom(seed: number): (low: number, high: number) => number {
  let state = seed >>> 0;
  return (low, high) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + Math.floor((state / 2 ** 32) * (high - low + 1));
  };
}

describe.each([...packers.values()].map((packer) => [packer.format, packer] as const))('%s', (_, packer) => {
  it('reads what it writes', async () => {
    await fc.assert(
      fc.asyncProperty(weightFor(packer), async ({ weight, options }) => {
        const { opened, groups } = await reopen(packer, weight, options);
        expect(opened.shape).toEqual([weight.rows, weight.cols]);
        expect(groups.codes).toEqual(weight.codes);
        expect(groups.scales).toEqual(weight.scales);
        const inOrder = weight.groupOf?.every((group, c) => group === Math.floor(c / weight.groupSize));
        expect(groups.groupOf).toEqual(inOrder ? undefined : weight.groupOf);
        const values = new Float32Array(weight.codes.length);
        await opened.readRows(0, weight.rows, values);
        const expected = new Float32Array(weight.codes.length);
        dequantize(weight, expected);
        // MLX rounds −zero · scale to the dtype of scales: F32 holds it.
        if (packer.format === 'mlx' && options.scaleDType === 'F32') {
          const apart = values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0);
          expect(apart).toBeLessThan(1e-6);
        }
        if (packer.format !== 'mlx') expect(values).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it('writes again, byte for byte, what it reads', async () => {
    await fc.assert(
      fc.asyncProperty(weightFor(packer), async ({ weight, options }) => {
        const { parts, groups } = await reopen(packer, weight, options);
        expect(packer.pack(groups, options)).toEqual(parts);
      }),
      { numRuns: 30 },
    );
  });
});

const folder = join(import.meta.dirname, '../../../test/golden/data/packed');

it.each([
  ['awq', 'awq', { bits: 4, groupSize: 128, symmetric: false }],
  ['gptq-2', 'gptq', { bits: 2, groupSize: 32, symmetric: false }],
  ['gptq-3', 'gptq', { bits: 3, groupSize: 32, symmetric: false }],
  ['gptq-4', 'gptq', { bits: 4, groupSize: 32, symmetric: false }],
  ['gptq-8', 'gptq', { bits: 8, groupSize: 32, symmetric: false }],
  ['gptq-3-act-order', 'gptq', { bits: 3, groupSize: 32, symmetric: false, actOrder: true }],
  ['gptq-4-symmetric', 'gptq', { bits: 4, groupSize: 32, symmetric: true }],
  ['gptq-v2-4', 'gptq_v2', { bits: 4, groupSize: 32, symmetric: false }],
  ['ct-pack-4', 'compressed-tensors', { bits: 4, groupSize: 32, symmetric: true }],
  ['ct-pack-4-zeros', 'compressed-tensors', { bits: 4, groupSize: 32, symmetric: false }],
  ['ct-pack-4-odd', 'compressed-tensors', { bits: 4, groupSize: -1, symmetric: true }],
  ['ct-pack-8-zeros', 'compressed-tensors', { bits: 8, groupSize: -1, symmetric: false }],
  ['mlx-2', 'mlx', { bits: 2, groupSize: 32, symmetric: false, scaleDType: 'F16' }],
  ['mlx-3', 'mlx', { bits: 3, groupSize: 32, symmetric: false }],
  ['mlx-5', 'mlx', { bits: 5, groupSize: 32, symmetric: false, scaleDType: 'F16' }],
  ['mlx-6', 'mlx', { bits: 6, groupSize: 32, symmetric: false }],
  ['mlx-8', 'mlx', { bits: 8, groupSize: 32, symmetric: false, scaleDType: 'F32' }],
  ['modelopt-int4', 'modelopt', { bits: 4, groupSize: 32, symmetric: true, scaleDType: 'BF16' }],
] as const)("packs the library's file %s again, byte for byte", async (file, format, options) => {
  const bytes = readFileSync(join(folder, `${file}.safetensors`));
  const { tensors, metadata } = await openSafetensors(memorySource(new Uint8Array(bytes), file));
  const parts = [...tensors.values()].filter(({ name }) => name !== 'truth');
  const read = parts.map((part) =>
    stored(part.name, part.dtype.name, part.shape, new Uint8Array(bytes.subarray(part.begin, part.end))),
  );
  const side = metadata.get('hf_quant_config');
  const scheme = schemeOf(JSON.parse(metadata.get('config') ?? ''), side === undefined ? undefined : JSON.parse(side));
  if (!scheme) throw new Error('no scheme');
  const weight = (await openPacked(scheme, byName(...read))).get('m.weight');
  if (!weight?.readGroups) throw new Error('no groups');
  const packer = packers.get(format) as Packer;
  const packed = packer.pack(await weight.readGroups(0, weight.shape[0]), options);
  for (const { part, name } of packer.tensorsOf('m.weight', weight.shape, options)) {
    const original = parts.find((one) => one.name === name);
    expect(original, name).toBeDefined();
    expect(packed.get(part), name).toEqual(new Uint8Array(bytes.subarray(original?.begin, original?.end)));
  }
  expect(packed.size).toBe(parts.length);
});

describe('refuses', () => {
  const weight = (change: Partial<GroupedRows> = {}): GroupedRows => ({
    rows: 32,
    cols: 64,
    groupSize: 32,
    bits: 4,
    codes: new Uint8Array(32 * 64),
    scales: new Float32Array(64).fill(0.5),
    ...change,
  });
  const options: PackOptions = { bits: 4, groupSize: 32, symmetric: true };
  const asymmetric = { ...options, symmetric: false };
  const packer = (format: string) => packers.get(format) as Packer;
  const code = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof QuernError) return error.code;
      throw error;
    }
    return 'nothing';
  };

  it.each([
    ['bits', 'awq', { ...options, bits: 3 }],
    ['a group size', 'gptq', { ...options, groupSize: 48 }],
    ['no zeros', 'modelopt', asymmetric],
    ['act-order', 'awq', { ...options, actOrder: true }],
    ['scales', 'mlx', { ...options, scaleDType: 'F8_E4M3' }],
  ])('%s that %s has not', (_, format, wrong) => {
    expect(code(() => packer(format).tensorsOf(NAME, [32, 64], wrong))).toBe('pack-unsupported');
    expect(code(() => packer(format).config(wrong, { packed: [], plain: [] }, making))).toBe('pack-unsupported');
  });

  it.each([
    ['rows', 'awq', [12, 64]],
    ['rows', 'gptq', [48, 64]],
    ['columns', 'gptq', [32, 65]],
    ['columns that groups do not divide', 'compressed-tensors', [32, 80]],
    ['stacks', 'mlx', [2, 32, 64]],
    ['vectors', 'awq', [64]],
    ['nothing', 'awq', [0, 64]],
  ])('%s in %s: %j', (_, format, shape) => {
    expect(code(() => packer(format).tensorsOf(NAME, shape, options))).toBe('pack-unsupported');
  });

  it('a tensor that is no weight', () => {
    expect(code(() => packer('awq').tensorsOf('model.norm.bias', [32, 64], options))).toBe('pack-unsupported');
  });

  it.each<[string, Partial<GroupedRows>, PackOptions]>([
    ['other bits', { bits: 3 }, options],
    ['other groups', { groupSize: 64 }, options],
    ['too few codes', { codes: new Uint8Array(32 * 63) }, options],
    ['too few scales', { scales: new Float32Array(63) }, options],
    ['too few zeros', { zeros: new Uint8Array(63) }, asymmetric],
    ['a code out of range', { codes: new Uint8Array(32 * 64).fill(16) }, options],
    ['a zero out of range', { zeros: new Uint8Array(64).fill(16) }, asymmetric],
    ['zeros that are not the middle', { zeros: new Uint8Array(64).fill(7) }, options],
    ['an order of groups', { groupOf: new Int32Array(64) }, options],
  ])('%s', (_, change, given) => {
    expect(code(() => packer('compressed-tensors').pack(weight(change), given))).toBe('pack-misshapen');
  });

  it('offsets outside of MLX', () => {
    const given = weight({ offsets: new Float32Array(64) });
    expect(code(() => packer('awq').pack(given, asymmetric))).toBe('pack-unsupported');
    expect(packer('mlx').pack(given, asymmetric).size).toBe(3);
  });

  it('a zero of 0 in GPTQ v1 alone', () => {
    const given = weight({ zeros: new Uint8Array(64) });
    expect(code(() => packer('gptq').pack(given, asymmetric))).toBe('pack-unsupported');
    expect(packer('gptq_v2').pack(given, asymmetric).size).toBe(4);
  });

  it.each([1e6, Number.NaN, Number.POSITIVE_INFINITY])('a scale of %f in F16', (scale) => {
    const given = weight({ scales: new Float32Array(64).fill(scale) });
    expect(code(() => packer('awq').pack(given, asymmetric))).toBe('pack-scale-overflow');
  });
});

it('rounds scales to their dtype', () => {
  const scales = new Float32Array(64).fill(0.1);
  const given = { rows: 32, cols: 64, groupSize: 32, bits: 4, codes: new Uint8Array(32 * 64), scales };
  const packed = (packers.get('gptq') as Packer).pack(given, { bits: 4, groupSize: 32, symmetric: true });
  const bytes = packed.get('scales') as Uint8Array;
  expect(bytes.length).toBe(64 * dtypeByName('F16').typeSize);
  expect(f16ToF32(bytes[0] | (bytes[1] << 8))).toBe(f16ToF32(f32ToF16(0.1)));
});

it('leaves plain modules out by the means of each format', () => {
  const modules = { packed: ['m.mlp.gate_proj'], plain: ['m.mlp.gate', 'm.router', 'lm_head'] };
  const options: PackOptions = { bits: 4, groupSize: 128, symmetric: true };
  const config = (format: string) =>
    (packers.get(format) as Packer).config(options, modules, making).quantization_config;
  expect(config('awq').modules_to_not_convert).toEqual(['m.router']);
  expect(config('gptq').dynamic).toEqual({ '-:^m\\.mlp\\.gate$': {}, '-:^m\\.router$': {} });
  expect(config('compressed-tensors').ignore).toEqual(modules.plain);
  expect(config('modelopt').ignore).toEqual(modules.plain);
});
