// Variants that no golden file has: scales of several units, stacks, settings per module, factors before quantization.
import { describe, expect, it } from 'vitest';
import { openPacked, type PackedWeight, schemeOf } from './index.ts';
import type { StoredTensor } from './stored-tensor.ts';
import { byName, stored } from './testing/stored.ts';

type Json = Record<string, unknown>;

async function open(config: Json, ...tensors: readonly StoredTensor[]): Promise<ReadonlyMap<string, PackedWeight>> {
  const scheme = schemeOf(config);
  if (!scheme) throw new Error('no scheme');
  return openPacked(scheme, byName(...tensors));
}

async function values(weight: PackedWeight | undefined): Promise<number[]> {
  if (!weight) throw new Error('no weight');
  const rows = weight.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const into = new Float32Array(rows * (weight.shape.at(-1) as number));
  await weight.readRows(0, rows, into);
  return [...into];
}

const floats = (name: string, shape: readonly number[], numbers: readonly number[]) =>
  stored(name, 'F32', shape, new Uint8Array(Float32Array.from(numbers).buffer));
const f8 = (name: string, shape: readonly number[], bytes: readonly number[], dtype = 'F8_E4M3') =>
  stored(name, dtype, shape, Uint8Array.from(bytes));
const bytes = (name: string, shape: readonly number[], numbers: readonly number[]) =>
  stored(name, 'U8', shape, Uint8Array.from(numbers));

// F8_E4M3: 0x38 is 1, 0x40 is 2, 0xb8 is −1.
describe('FP8', () => {
  const fp8 = (more: Json = {}) => ({ quantization_config: { quant_method: 'fp8', ...more } });

  it.each([
    ['a number', [], [0.5], [0.5, 1, -0.5, 0.5]],
    ['one', [1], [0.5], [0.5, 1, -0.5, 0.5]],
    ['a vector of rows', [2], [0.5, 3], [0.5, 1, -3, 3]],
    ['a column of rows', [2, 1], [0.5, 3], [0.5, 1, -3, 3]],
  ])('scaled by %s', async (_, shape, scales, expected) => {
    const weight = f8('m.weight', [2, 2], [0x38, 0x40, 0xb8, 0x38]);
    const opened = await open(fp8(), weight, floats('m.weight_scale', shape, scales));
    expect(await values(opened.get('m.weight'))).toEqual(expected);
  });

  it('of fbgemm, beside its bound on activations', async () => {
    const tensors = [f8('m.weight', [2, 1], [0x38, 0x40]), floats('m.weight_scale', [2, 1], [2, 3])];
    const config = { quantization_config: { quant_method: 'fbgemm_fp8', modules_to_not_convert: ['lm_head'] } };
    const opened = await open(config, ...tensors, floats('m.input_scale_ub', [1], [1200]));
    expect(await values(opened.get('m.weight'))).toEqual([2, 6]);
  });

  it('with powers of two for scales', async () => {
    const scales = stored('m.weight_scale_inv', 'F8_E8M0', [1, 2], Uint8Array.from([128, 126]));
    const opened = await open(fp8({ weight_block_size: [1, 2] }), f8('m.weight', [1, 3], [0x38, 0x40, 0x38]), scales);
    expect(await values(opened.get('m.weight'))).toEqual([2, 4, 0.5]);
    const none = stored('m.weight_scale_inv', 'F8_E8M0', [1, 2], Uint8Array.from([128, 255]));
    const bad = (await open(fp8({ weight_block_size: [1, 2] }), f8('m.weight', [1, 3], [0, 0, 0]), none)).get(
      'm.weight',
    );
    await expect(values(bad)).rejects.toMatchObject({ code: 'packed-scale-not-finite' });
  });

  it('in a stack, with tiles per expert', async () => {
    const weight = f8('experts.up', [2, 3, 2], Array(12).fill(0x38));
    const scales = floats('experts.up_scale_inv', [2, 2, 1], [1, 2, 3, 4]);
    const opened = await open(fp8({ weight_block_size: [2, 2] }), weight, scales);
    expect(await values(opened.get('experts.up'))).toEqual([1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4]);
    const last = new Float32Array(4);
    await opened.get('experts.up')?.readRows(2, 2, last);
    expect([...last]).toEqual([2, 2, 3, 3]);
  });

  it('of the other kind, and beside scales of activations', async () => {
    const weight = f8('m.weight', [1, 2], [0x3c, 0x40], 'F8_E5M2');
    const activations = floats('m.input_scale', [], [9]);
    const opened = await open(fp8(), weight, floats('m.weight_scale', [], [2]), activations);
    expect([...opened.keys()]).toEqual(['m.weight']);
    expect(await values(opened.get('m.weight'))).toEqual([2, 4]);
  });
});

// DeepSeek V4: the low nibble is the even weight; code 1 is 0.5, 2 is 1, 10 is −1.
describe('FP4 experts', () => {
  const codes = stored(
    'e.weight',
    'I8',
    [1, 16],
    Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0xa2 : 1)),
  );
  const scales = stored('e.scale', 'F8_E8M0', [1, 1], Uint8Array.from([128]));
  const tiled = f8('a.weight', [1, 2], [0x38, 0x40]);
  const tile = stored('a.scale', 'F8_E8M0', [1, 1], Uint8Array.from([126]));

  it.each([
    ['alone', { expert_dtype: 'fp4' }],
    [
      'beside FP8',
      { expert_dtype: 'fp4', quantization_config: { quant_method: 'fp8', weight_block_size: [128, 128] } },
    ],
    ['among the rest', { quantization_config: { quant_method: 'fp8', expert_dtype: 'fp4' } }],
  ])('named %s', async (_, config) => {
    const opened = await open(config, codes, scales, tiled, tile);
    const expert = await values(opened.get('e.weight'));
    expect([expert.length, ...expert.slice(0, 4)]).toEqual([32, 2, -2, 1, 0]);
    expect(opened.get('e.weight')!.exact.map(({ dtype, values: same }) => [dtype.name, same])).toEqual([
      ['MXFP4', 'same'],
    ]);
    expect(await values(opened.get('a.weight'))).toEqual([0.5, 1]);
  });

  it('are refused without scales, or with those of other blocks', async () => {
    await expect(open({ expert_dtype: 'fp4' }, codes)).rejects.toMatchObject({ code: 'packed-part-missing' });
    const wrong = stored('e.scale', 'F8_E8M0', [1, 2], Uint8Array.from([128, 128]));
    await expect(open({ expert_dtype: 'fp4' }, codes, wrong)).rejects.toMatchObject({ code: 'packed-part-shape' });
  });
});

describe('MLX', () => {
  const parts = (module: string, words: number, groups: number) => [
    stored(`${module}.weight`, 'U32', [1, words], new Uint8Array(4 * words).fill(0x21)),
    floats(`${module}.scales`, [1, groups], Array(groups).fill(1)),
    floats(`${module}.biases`, [1, groups], Array(groups).fill(0)),
  ];

  it('by settings per module', async () => {
    const settings = { group_size: 64, bits: 4, wide: { group_size: 32, bits: 8 }, plain: false, usual: true };
    const opened = await open({ quantization: settings }, ...parts('usual', 8, 1), ...parts('wide', 8, 1));
    expect((await values(opened.get('usual.weight'))).slice(0, 4)).toEqual([1, 2, 1, 2]);
    expect((await values(opened.get('wide.weight'))).slice(0, 2)).toEqual([33, 33]);
    expect(opened.get('wide.weight')?.groupSize).toBe(32);
  });
});

describe('compressed-tensors', () => {
  const weights = { num_bits: 8, type: 'int', strategy: 'channel' };
  const float = { num_bits: 8, type: 'float', strategy: 'channel' };
  const mixed = (groups: Json) => ({
    quantization_config: { quant_method: 'compressed-tensors', format: 'mixed-precision', config_groups: groups },
  });
  const tensors = [
    stored('a.q.weight', 'I8', [1, 2], Uint8Array.from([3, 255])),
    floats('a.q.weight_scale', [1, 1], [2]),
    f8('a.k.weight', [1, 2], [0x38, 0x40]),
    floats('a.k.weight_scale', [1, 1], [3]),
  ];

  it.each([
    ['a pattern', ['re:.*k$'], ['Linear']],
    ['a name', ['a.k'], ['Linear']],
    ['patterns alone', ['re:.*\\.k'], ['re:a\\.q']],
  ])('in groups that %s tells apart', async (_, floatTargets, intTargets) => {
    const opened = await open(
      mixed({
        group_0: { targets: intTargets, weights, format: 'int-quantized' },
        group_1: { targets: floatTargets, weights: float, format: 'float-quantized' },
      }),
      ...tensors,
    );
    expect(await values(opened.get('a.q.weight'))).toEqual([6, -2]);
    expect(await values(opened.get('a.k.weight'))).toEqual([3, 6]);
  });

  it('refuses modules that no group names', async () => {
    const groups = {
      group_0: { targets: ['re:x'], weights, format: 'int-quantized' },
      group_1: { targets: ['re:y'], weights: float, format: 'float-quantized' },
    };
    await expect(open(mixed(groups), ...tensors)).rejects.toThrow('do not say how a.q is packed');
  });

  it('refuses formats by name', async () => {
    const config = (format: string, num_bits: number) => ({
      quantization_config: {
        quant_method: 'compressed-tensors',
        format,
        config_groups: { group_0: { targets: ['Linear'], weights: { num_bits, group_size: 32 } } },
      },
    });
    await expect(open(config('marlin-24', 4), ...tensors)).rejects.toMatchObject({ code: 'packed-method-refused' });
    const packed = stored('m.weight_packed', 'I32', [1, 3], new Uint8Array(12));
    const scale = floats('m.weight_scale', [1, 1], [1]);
    await expect(open(config('pack-quantized', 3), packed, scale)).rejects.toMatchObject({
      code: 'packed-method-refused',
    });
  });

  it('with zeros in bytes, as older versions wrote them, and with zeros of the tensor', async () => {
    const config = (strategy: string) => ({
      quantization_config: {
        quant_method: 'compressed-tensors',
        format: 'int-quantized',
        config_groups: { group_0: { targets: ['Linear'], weights: { ...weights, symmetric: false, strategy } } },
      },
    });
    const weight = stored('m.weight', 'I8', [2, 2], Uint8Array.from([3, 255, 0, 128]));
    const zeros = (shape: number[], ...signed: number[]) =>
      stored('m.weight_zero_point', 'I8', shape, Uint8Array.from(signed));
    const perRow = await open(
      config('channel'),
      weight,
      floats('m.weight_scale', [2, 1], [2, 1]),
      zeros([2, 1], 1, -2),
    );
    expect(await values(perRow.get('m.weight'))).toEqual([4, -4, 2, -126]);
    const whole = await open(config('tensor'), weight, floats('m.weight_scale', [1], [2]), zeros([1], 1));
    expect(await values(whole.get('m.weight'))).toEqual([4, -4, -2, -258]);
    expect(whole.get('m.weight')?.exact).toEqual([]);
  });
});

describe('ModelOpt', () => {
  const int4 = (name: string) => [
    bytes(`${name}.weight`, [1, 32], Array(32).fill(0xf1)),
    floats(`${name}.weight_scale`, [2, 1], [2, 3]),
  ];

  it('with a factor per column', async () => {
    const factors = floats(
      'm.pre_quant_scale',
      [32],
      Array.from({ length: 32 }, (_, c) => (c === 1 ? 10 : 1)),
    );
    const config = { quantization_config: { quant_method: 'modelopt', quant_algo: 'W4A16_AWQ', group_size: 32 } };
    const weight = (await open(config, ...int4('m'), factors)).get('m.weight');
    const read = await values(weight);
    expect(read.slice(0, 3)).toEqual([2, 20, 2]);
    expect(read.slice(32, 35)).toEqual([-3, -30, -3]);
    expect(weight?.exact).toEqual([]);
    expect(weight?.readGroups).toBeUndefined();
    expect(weight?.parts).toContain('m.pre_quant_scale');
  });

  it('with an algorithm per layer', async () => {
    const quantized_layers = {
      a: { quant_algo: 'W4A16_AWQ', group_size: 32 },
      b: { quant_algo: 'FP8_PER_CHANNEL_PER_TOKEN' },
      c: { quant_algo: 'MXFP8', group_size: 32 },
    };
    const config = {
      quantization_config: { quant_method: 'modelopt', quant_algo: 'MIXED_PRECISION', quantized_layers },
    };
    const second = [f8('b.weight', [2, 1], [0x38, 0x40]), floats('b.weight_scale', [2], [2, 3])];
    const third = [f8('c.weight', [1, 32], Array(32).fill(0x38)), bytes('c.weight_scale', [1, 1], [130])];
    const opened = await open(config, ...int4('a'), ...second, ...third);
    expect((await values(opened.get('a.weight')))[0]).toBe(2);
    expect(await values(opened.get('b.weight'))).toEqual([2, 6]);
    expect((await values(opened.get('c.weight')))[0]).toBe(8);
    const stray = [f8('d.weight', [1, 1], [0x38]), floats('d.weight_scale', [1], [2])];
    await expect(open(config, ...int4('a'), ...stray)).rejects.toThrow('do not say how d is packed');
  });
});

describe('reading in bounded pieces', () => {
  it('gives the rows of a matrix of more than one batch', async () => {
    const [rows, cols] = [40, 65536]; // 2.6 million weights
    const weight = stored('m.weight', 'F8_E4M3', [rows, cols], new Uint8Array(rows * cols).fill(0x38));
    const scales = floats(
      'm.weight_scale',
      [rows, 1],
      Array.from({ length: rows }, (_, row) => row + 1),
    );
    const opened = (await open({ quantization_config: { quant_method: 'fp8' } }, weight, scales)).get('m.weight');
    const into = new Float32Array(rows * cols);
    await opened?.readRows(0, rows, into);
    for (let row = 0; row < rows; row++) {
      expect(into[row * cols]).toBe(row + 1);
      expect(into[row * cols + cols - 1]).toBe(row + 1);
    }
  });

  it('gives the blocks and floats of integers of more than one batch', async () => {
    const [rows, cols] = [40, 65536];
    const packed = stored(
      'm.weight',
      'U32',
      [rows, cols / 8],
      Uint8Array.from({ length: (rows * cols) / 2 }, (_, i) => ((i >> 15) & 15) * 17),
    );
    const scales = stored(
      'm.scales',
      'F16',
      [rows, cols / 64],
      new Uint8Array(new Uint16Array((rows * cols) / 64).fill(0x3c00).buffer),
    );
    const biases = stored('m.biases', 'F16', [rows, cols / 64], new Uint8Array((rows * cols) / 32));
    const weight = (await open({ quantization: { group_size: 64, bits: 4 } }, packed, scales, biases)).get('m.weight');
    const into = new Float32Array(rows * cols);
    await weight?.readRows(0, rows, into);
    for (let row = 0; row < rows; row++) expect(into[row * cols + 5]).toBe(row % 16);
    const blocks = new Uint8Array((rows * cols * 20) / 32);
    await weight?.exact[0].readRows(0, rows, blocks);
    for (let row = 0; row < rows; row++) expect(blocks[((row * cols) / 32) * 20 + 4]).toBe((row % 16) * 17);
  });
});
