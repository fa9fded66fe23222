// Every format against the library that defines it (test/golden/data/packed/README.md).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codecOf, rowBytes } from '@quern/blocks';
import { openSafetensors } from '@quern/safetensors';
import { memorySource } from '@quern/source';
import { describe, expect, it } from 'vitest';
import { openPacked, type PackedWeight, schemeOf } from './index.ts';
import { stored } from './testing/stored.ts';

const folder = join(import.meta.dirname, '../../../test/golden/data/packed');
const cases = readdirSync(folder).flatMap((file) => /^(.+)\.safetensors$/.exec(file)?.[1] ?? []);

/** Forms by case: the type, and whether values are the same. */
const forms: Readonly<Record<string, readonly string[]>> = {
  awq: ['Q4_1 scales-rounded', 'Q5_0 same'],
  'gptq-2': ['Q4_0 same'],
  'gptq-3': ['Q4_0 same'],
  'gptq-4': ['Q4_1 scales-rounded', 'Q5_0 same'],
  'gptq-v2-4': ['Q4_1 scales-rounded', 'Q5_0 same'],
  'gptq-4-symmetric': ['Q4_0 same'],
  'gptq-4-ragged': ['Q4_0 same'],
  'ct-pack-4': ['Q4_0 scales-rounded'],
  'ct-pack-4-zeros': ['Q4_1 scales-rounded', 'Q5_0 scales-rounded'],
  'ct-mxfp4': ['MXFP4 same'],
  'ct-nvfp4': ['NVFP4 same'],
  'mlx-2': ['Q4_1 same'],
  'mlx-3': ['Q4_1 scales-rounded'],
  'mlx-4': ['Q4_1 same'],
  'mlx-5': ['Q5_1 same'],
  'modelopt-int4': ['Q4_0 scales-rounded'],
  'modelopt-nvfp4': ['NVFP4 same'],
  mxfp4: ['MXFP4 same'],
};

/** The libraries multiply NVFP4's two scales first, which rounds once more. */
const roundsTwice = (name: string) => name.endsWith('nvfp4');

async function open(name: string, limits?: Parameters<typeof openPacked>[2]) {
  const { tensors, metadata } = await openGolden(name);
  const truth = tensors.get('truth');
  tensors.delete('truth');
  const side = metadata.get('hf_quant_config');
  const scheme = schemeOf(JSON.parse(metadata.get('config') ?? ''), side === undefined ? undefined : JSON.parse(side));
  if (!scheme || !truth) throw new Error(name);
  const weights = await openPacked(scheme, tensors, limits);
  expect(weights.size).toBe(1);
  const [weight] = weights.values();
  const expected = new Float32Array(truth.rows * truth.cols);
  await truth.readRows(0, truth.rows, new Uint8Array(expected.buffer));
  return { weight, expected, truth, tensors };
}

async function openGolden(name: string) {
  const bytes = readFileSync(join(folder, `${name}.safetensors`));
  const file = await openSafetensors(memorySource(new Uint8Array(bytes), name));
  const tensors = new Map(
    [...file.tensors.values()].map((tensor) => {
      const data = new Uint8Array(bytes.subarray(tensor.begin, tensor.end));
      return [tensor.name, stored(tensor.name, tensor.dtype.name, tensor.shape, data)];
    }),
  );
  return { tensors, metadata: file.metadata };
}

async function readAll(weight: PackedWeight, rows: number, step = rows): Promise<Float32Array> {
  const cols = weight.shape[weight.shape.length - 1];
  const values = new Float32Array(rows * cols);
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    await weight.readRows(row, count, values.subarray(row * cols, (row + count) * cols));
  }
  return values;
}

/** Largest difference, relative to the largest value. */
function difference(values: Float32Array, expected: Float32Array): number {
  expect(values.length).toBe(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return values.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0) / largest;
}

describe.each(cases)('%s', (name) => {
  it('unpacks to what its library unpacks', async () => {
    const { weight, expected, truth } = await open(name);
    expect(weight.shape).toEqual(truth.shape);
    expect(difference(await readAll(weight, truth.rows), expected)).toBeLessThanOrEqual(
      roundsTwice(name) ? 2 ** -22 : 0,
    );
  });

  it('gives the same in pieces, with tiles of a few columns', async () => {
    const { weight, truth } = await open(name, { tileBytes: 300, cacheBytes: 700 });
    const whole = await readAll((await open(name)).weight, truth.rows);
    expect(await readAll(weight, truth.rows, 5)).toEqual(whole);
    expect(await readAll(weight, truth.rows, 1)).toEqual(whole);
  });

  it('has the ggml forms that keep its codes', async () => {
    const { weight, truth } = await open(name);
    expect(weight.exact.map(({ dtype, values }) => `${dtype.name} ${values}`)).toEqual(forms[name] ?? []);
    const values = await readAll(weight, truth.rows);
    for (const form of weight.exact) {
      const bytes = new Uint8Array(truth.rows * rowBytes(form.dtype, truth.cols));
      await form.readRows(0, truth.rows, bytes);
      const decoded = new Float32Array(values.length);
      codecOf(form.dtype).decode(bytes, decoded);
      const scaled = decoded.map((value) => value * (form.tensorScale ?? 1));
      if (form.values === 'same') expect(scaled).toEqual(values);
      else expect(difference(scaled, values)).toBeLessThan(2 ** -10);
      const piece = new Uint8Array((bytes.length / truth.rows) * 3);
      await form.readRows(2, 3, piece);
      expect(piece).toEqual(bytes.slice((bytes.length / truth.rows) * 2, (bytes.length / truth.rows) * 5));
    }
  });

  it('says which tensors it is made of', async () => {
    const { weight, tensors } = await open(name);
    const used = new Set(weight.parts);
    expect([...tensors.keys()].filter((part) => !used.has(part))).toEqual(
      name === 'modelopt-fp8' ? ['m.input_scale'] : [],
    );
  });
});
