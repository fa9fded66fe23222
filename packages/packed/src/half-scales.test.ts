// Scales that are not stored as F16 and fit it all the same: then blocks of ggml hold the very same weights.
import { codecOf, dtypeByName } from '@quern/blocks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areHalves } from './half-scales.ts';
import { openPacked, type PackedWeight, schemeOf } from './index.ts';
import { byName, type MemoryTensor, stored } from './testing/stored.ts';

const f32 = (name: string, shape: number[], values: Float32Array) =>
  stored(name, 'F32', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
/** The upper half of an f32 is the BF16 below it. */
const bf16 = (name: string, shape: number[], values: Float32Array) =>
  stored(
    name,
    'BF16',
    shape,
    new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer),
  );

const oneHalf = (value: number) => areHalves([f32('s', [1], Float32Array.of(value))]);

// IEEE 754 binary16: 11 significant bits down to 2^-14, multiples of 2^-24 below, nothing above 65504.
it.each([
  [0, true],
  [1 + 2 ** -10, true],
  [1 + 2 ** -11, false],
  [65504, true],
  [65505, false],
  [65536, false],
  [-(2 ** -24), true],
  [2 ** -25, false],
  [1.9921875 * 2 ** -17, true],
  [1.9921875 * 2 ** -18, false],
  [1.5 * 2 ** -23, true],
])('%f: %s', async (value, expected) => {
  expect(await oneHalf(value)).toBe(expected);
});

it('takes every BF16 number from 2^-17 to 65280', async () => {
  const numbers = Array.from({ length: 0x477f + 1 - 0x3700 }, (_, i) => (0x3700 + i) << 16);
  const values = new Float32Array(Uint32Array.from(numbers).buffer);
  expect([values[0], values.at(-1)]).toEqual([2 ** -17, 65280]);
  expect(await areHalves([bf16('s', [values.length], values)])).toBe(true);
});

it('reads in pieces, and no further than the first that does not fit', async () => {
  const rows = 4096;
  const good = f32('good', [rows, 256], new Float32Array(rows * 256).fill(0.25));
  const bad = f32('bad', [rows, 256], new Float32Array(rows * 256).fill(0.1));
  const unread = f32('unread', [1], Float32Array.of(1));
  let most = 0;
  const watched = (tensor: MemoryTensor) => ({
    ...tensor,
    readRows(first: number, count: number, into: Uint8Array) {
      most = Math.max(most, into.length);
      return tensor.readRows(first, count, into);
    },
  });
  expect(await areHalves([good, bad, unread].map(watched))).toBe(false);
  expect(good.read.bytes).toBe(rows * 1024);
  expect(bad.read.bytes).toBe(2 ** 20);
  expect(unread.read.bytes).toBe(0);
  expect(most).toBe(2 ** 20);
});

it('refuses scales that are none', async () => {
  await expect(oneHalf(Number.NaN)).rejects.toMatchObject({ code: 'packed-scale-not-finite', tensor: 's' });
});

describe('a weight', () => {
  const rows = 4;
  const mlx = (scale: number, offset: number) => {
    const [scales, biases] = [scale, offset].map((value) => new Float32Array(rows * 2).fill(value));
    const codes = stored(
      'm.weight',
      'U32',
      [rows, 8],
      Uint8Array.from({ length: rows * 32 }, (_, i) => i * 37),
    );
    return [codes, bf16('m.scales', [rows, 2], scales!), bf16('m.biases', [rows, 2], biases!)];
  };
  const only = async (config: unknown, tensors: readonly MemoryTensor[]): Promise<PackedWeight> => {
    const scheme = schemeOf({ quantization_config: config });
    const [weight] = (await openPacked(scheme!, byName(...tensors))).values();
    return weight!;
  };
  const quantization = { group_size: 32, bits: 4 };

  it('is proved by its scales, which are read once and for all forms', async () => {
    const tensors = mlx(0.0078125, -0.05078125);
    const weight = await only(quantization, tensors);
    const [form] = weight.exact;
    expect(form).toMatchObject({ values: 'scales-rounded', dtype: { name: 'Q4_1' } });
    expect(tensors.map(({ read }) => read.bytes)).toEqual([0, 0, 0]);
    expect(await form!.provesSame?.()).toBe(true);
    await form!.provesSame?.();
    expect(tensors.map(({ read }) => read.bytes)).toEqual([0, 16, 16]);
  });

  it.each([
    ['a scale', 2 ** -20 * 1.9921875, -0.05],
    ['an offset', 0.0078125, 2 ** -20 * 1.9921875],
  ])('is not when %s is too fine', async (_, scale, offset) => {
    const weight = await only(quantization, mlx(scale, offset));
    expect(await weight.exact[0]!.provesSame?.()).toBe(false);
  });

  it('has nothing to prove with F16 scales, and not where an offset has to be computed', async () => {
    const packed = stored('m.weight_packed', 'I32', [8, 8], new Uint8Array(256).fill(0x35));
    const shape = stored('m.weight_shape', 'I64', [2], new Uint8Array(BigInt64Array.of(8n, 64n).buffer));
    const zeros = stored('m.weight_zero_point', 'I32', [1, 2], new Uint8Array(8).fill(0x77));
    const scales = (dtype: string) => stored('m.weight_scale', dtype, [8, 2], new Uint8Array(32).fill(0x34));
    const weights = { num_bits: 4, type: 'int', symmetric: false, strategy: 'group', group_size: 32 };
    const config = {
      quant_method: 'compressed-tensors',
      format: 'pack-quantized',
      config_groups: { group_0: { targets: ['Linear'], weights } },
    };
    const forms = async (dtype: string) =>
      (await only(config, [packed, shape, zeros, scales(dtype)])).exact.map(
        ({ dtype: { name }, values, provesSame }) => `${name} ${values}${provesSame ? ' to prove' : ''}`,
      );
    expect(await forms('F16')).toEqual(['Q4_1 scales-rounded', 'Q5_0 same']);
    expect(await forms('BF16')).toEqual(['Q4_1 scales-rounded', 'Q5_0 scales-rounded to prove']);
  });

  it('that is proved has blocks of the same values', async () => {
    const { decode } = codecOf(dtypeByName('Q4_1'));
    await fc.assert(
      fc.asyncProperty(
        fc.float({ noNaN: true, min: -100, max: 100 }),
        fc.float({ noNaN: true, min: -100, max: 100 }),
        async (scale, offset) => {
          const weight = await only(quantization, mlx(scale, offset));
          const [blocks, values, unpacked] = [
            new Uint8Array(rows * 40),
            new Float32Array(rows * 64),
            new Float32Array(rows * 64),
          ];
          await weight.exact[0]!.readRows(0, rows, blocks);
          decode(blocks, unpacked);
          await weight.readRows(0, rows, values);
          if (await weight.exact[0]!.provesSame?.()) expect(unpacked).toEqual(values);
        },
      ),
    );
  });
});
