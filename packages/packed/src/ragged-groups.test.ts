// 96 columns in groups of 64: the last group has 32. The same weight in groups of 32 that divide them has each scale of a
// whole group twice; so both must unpack alike. (GPTQ has a golden file, and act-order's index needs no groups.)
import { expect, it } from 'vitest';
import { openPacked, schemeOf } from './index.ts';
import { stored } from './testing/stored.ts';

const [rows, cols] = [8, 96];
const noise = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255);
const int32 = (name: string, shape: number[], seed: number, dtype = 'I32') =>
  stored(`m.${name}`, dtype, shape, noise(4 * shape[0]! * shape[1]!, seed));

/** Scales of two groups, or those of three. `turned`: [groups, rows] instead of [rows, groups]. */
function scales(name: string, groups: 2 | 3, turned: boolean, begin = 1) {
  const of = (row: number, group: number) => begin + row + (groups === 2 ? group : Number(group === 2)) / 4;
  const values = Array.from({ length: rows * groups }, (_, i) =>
    turned ? of(i % rows, Math.floor(i / rows)) : of(Math.floor(i / groups), i % groups),
  );
  const shape = turned ? [groups, rows] : [rows, groups];
  return stored(`m.${name}`, 'F32', shape, new Uint8Array(Float32Array.from(values).buffer));
}

const ct = (groupSize: number) => ({
  quant_method: 'compressed-tensors',
  format: 'pack-quantized',
  config_groups: {
    group_0: {
      targets: ['Linear'],
      weights: { num_bits: 4, type: 'int', symmetric: true, strategy: 'group', group_size: groupSize },
    },
  },
});
const formats: Record<string, (groupSize: 64 | 32) => [config: object, parts: ReturnType<typeof stored>[]]> = {
  'compressed-tensors': (groupSize) => [
    ct(groupSize),
    [
      int32('weight_packed', [rows, cols / 8], 1),
      scales('weight_scale', groupSize === 64 ? 2 : 3, false),
      stored('m.weight_shape', 'I64', [2], new Uint8Array(BigInt64Array.of(BigInt(rows), BigInt(cols)).buffer)),
    ],
  ],
  awq: (groupSize) => {
    const zeros = noise(8, 3);
    const zerosOf = groupSize === 64 ? zeros : Uint8Array.from([...zeros.slice(0, 4), ...zeros]);
    return [
      { quant_method: 'awq', version: 'gemm', bits: 4, group_size: groupSize, zero_point: true },
      [
        int32('qweight', [cols, 1], 1),
        stored('m.qzeros', 'I32', [zerosOf.length / 4, 1], zerosOf),
        scales('scales', groupSize === 64 ? 2 : 3, true),
      ],
    ];
  },
  mlx: (groupSize) => [
    { bits: 4, group_size: groupSize },
    [
      int32('weight', [rows, cols / 8], 1, 'U32'),
      scales('scales', groupSize === 64 ? 2 : 3, false),
      scales('biases', groupSize === 64 ? 2 : 3, false, -7),
    ],
  ],
  modelopt: (groupSize) => [
    { quant_method: 'modelopt', quant_algo: 'W4A16_AWQ', group_size: groupSize },
    [
      stored('m.weight', 'U8', [rows / 2, cols], noise((rows / 2) * cols, 1)),
      scales('weight_scale', groupSize === 64 ? 2 : 3, false),
    ],
  ],
};

async function unpacked(config: object, parts: ReturnType<typeof stored>[]) {
  const scheme = schemeOf({ quantization_config: config })!;
  const [weight] = (await openPacked(scheme, new Map(parts.map((part) => [part.name, part])))).values();
  const values = new Float32Array(rows * cols);
  await weight!.readRows(0, rows, values);
  const forms = await Promise.all(
    weight!.exact.map(async ({ dtype, readRows }) => {
      const bytes = new Uint8Array((rows * cols * dtype.typeSize) / dtype.blockSize);
      await readRows(0, rows, bytes);
      return [dtype.name, bytes] as const;
    }),
  );
  return { values, forms };
}

it.each(Object.entries(formats))('%s', async (_, parts) => {
  const ragged = await unpacked(...parts(64));
  expect(new Set(ragged.values).size).toBeGreaterThan(50);
  expect(ragged.forms.length).toBeGreaterThan(0);
  expect(ragged).toEqual(await unpacked(...parts(32)));
});
