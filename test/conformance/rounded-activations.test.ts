// Quantized weights against activations rounded to 8 bits: every case against the reference device, which is given the
// activations as plain TypeScript rounds them. What is left between the two is the order of float sums.
import { createHash } from 'node:crypto';
import { dtypeByName, rowBytes } from '@quern/blocks';
import { cpuDevice, type Device, ops, referenceDevice, type Tensor } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, type CaseOperand, floats, integers, nmse, runCase, weights } from './case.ts';
import { cases } from './cases.ts';
import { randomSource } from './random.ts';
import { hasRelaxed, relaxedDevice } from './relaxed-simd.ts';
import { floatsOf, operand, rounded } from './rounded-case.ts';

const types = [
  ...['Q4_0', 'Q5_0', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K', 'Q4_1', 'Q5_1', 'Q2_K', 'Q3_K'],
  ...['IQ4_NL', 'IQ4_XS', 'TQ2_0', 'MXFP4'],
];
/** Where the blocks keep their F16 numbers. */
const halves: Readonly<Record<string, readonly number[]>> = {
  ...{ Q4_1: [0, 2], Q5_1: [0, 2], Q2_K: [80, 82], Q3_K: [108], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208] },
  ...{ TQ2_0: [64], MXFP4: [] },
};

// With relaxed SIMD one of the devices uses it: what differs between plain and relaxed kernels is what must not.
if (!hasRelaxed)
  console.log(`Relaxed SIMD is left to relaxed.test.ts: Node ${process.versions.node} computes it wrongly by default.`);

const reference = referenceDevice();
const running: Device[] = [];
beforeAll(async () => {
  for (const threads of [1, 2, 3])
    running.push(
      threads === 1 && hasRelaxed
        ? await relaxedDevice()
        : await cpuDevice({ threads, activations: 'int8', relaxedSimd: false }),
    );
});
afterAll(async () => {
  for (const device of running) await device.dispose();
});

async function expectExact(entry: Case): Promise<Uint8Array> {
  const truth = await runCase(reference, rounded(entry));
  const results = [];
  for (const device of running) results.push(await runCase(device, entry));
  expect(nmse(results[0]!, truth, entry.typicalSquare)).toBeLessThanOrEqual(ops[entry.op].tolerance);
  for (const result of results) expect(Buffer.compare(result, results[0]!), 'bits on more threads').toBe(0);
  return results[0]!;
}

const multiply = (x: CaseOperand, w: CaseOperand): Case<'matmul'> => ({
  op: 'matmul',
  title: '',
  inputs: [x, w],
  outputShape: [x.shape[0]!, w.shape[0]!],
  params: {},
});

/** Types that the cases of every device leave out: rests of panels and tiles, and experts. */
const rareTypes = types.filter((type) => !cases.some(({ op, inputs }) => op === 'matmul' && inputs[1]!.dtype === type));
const rareProducts = rareTypes.flatMap((type, i): Case[] => {
  const cols = 3 * dtypeByName(type).blockSize;
  const one = (tokens: number, rows: number, seed: number): Case<'matmul'> => ({
    ...multiply(floats([tokens, cols], seed), weights(type, [rows, cols], seed + 1)),
    title: `${type} ${tokens}×${cols} · ${rows} rows`,
    typicalSquare: cols * 0.1 ** 2,
  });
  const [tokens, used, experts, rows] = [9, 2, 3, 13];
  const ids = Array.from({ length: tokens * used }, (_, slot) => (slot * 5 + (slot >> 1)) % experts);
  const mixture: Case<'matmulExperts'> = {
    op: 'matmulExperts',
    title: `${type} ${tokens}×${cols} · ${rows} rows of ${experts} experts`,
    inputs: [
      floats([tokens, cols], 300 + i),
      weights(type, [experts, rows, cols], 330 + i),
      integers([tokens, used], ids),
    ],
    outputShape: [tokens * used, rows],
    params: {},
    typicalSquare: cols * 0.1 ** 2,
  };
  return [one(1, 5, 400 + i), one(7, 8, 440 + i), one(33, 77, 480 + i), mixture];
});
const products = [
  ...cases.filter(({ op, inputs }) => op.startsWith('matmul') && types.includes(inputs[1]!.dtype)),
  ...rareProducts,
];

it('covers both ops and all types with integer kernels', () => {
  const seen = new Set(products.map(({ op, inputs }) => `${op} ${inputs[1]!.dtype}`));
  expect(seen.size).toBe(2 * types.length);
});

describe.each(['matmul', 'matmulExperts'])('%s', (op) => {
  it.each(products.filter((entry) => entry.op === op))('$title', async (entry) => void (await expectExact(entry)));
});

describe.each(types)('%s', (type) => {
  /** Any bytes: the largest scales, minima and codes among them; the F16 numbers small. */
  function anyBlocks(rows: number, cols: number): CaseOperand {
    const dtype = dtypeByName(type);
    const random = randomSource(77);
    const bytes = Uint8Array.from({ length: rows * rowBytes(dtype, cols) }, () => Math.floor(random() * 256));
    for (let block = 0; block < bytes.length; block += dtype.typeSize) {
      if (block % 3 === 0) bytes.fill(block % 2 ? 0x80 : 0xff, block, block + dtype.typeSize);
      for (const at of halves[type] ?? [0]) bytes.set([random() * 256, 0x20 + random() * 8], block + at);
      if (type === 'MXFP4') bytes[block] = 118 + random() * 8;
    }
    return { dtype: type, shape: [rows, cols], bytes };
  }

  it('multiplies any bytes with the largest activations', async () => {
    const signs = randomSource(5);
    const x = Float32Array.from({ length: 5 * 512 }, () => (signs() < 0.5 ? -1 : 1));
    await expectExact({ ...multiply(operand([5, 512], x), anyBlocks(13, 512)), typicalSquare: 1 });
  });

  it('rounds activations of any size, and keeps what is not finite to its token', async () => {
    const x = floatsOf(floats([9, 512], 6));
    for (let c = 0; c < 512; c++) {
      x[c] = 0;
      x[512 + c]! *= 1e30;
      x[2 * 512 + c]! *= 1e-30;
      x[3 * 512 + c]! *= 1e-43;
      x[4 * 512 + c]! *= 2 ** ((c % 60) - 30);
    }
    x[5 * 512 + 300] = Number.NaN;
    x[6 * 512 + 511] = Number.POSITIVE_INFINITY;
    x[7 * 512] = Number.NEGATIVE_INFINITY;
    const w = weights(type, [13, 512], 7);
    const result = new Float32Array((await expectTokens(x, w)).buffer);
    const token = (t: number) => result.subarray(13 * t, 13 * (t + 1));
    for (const t of [5, 6, 7]) expect(token(t).every(Number.isNaN), `token ${t}`).toBe(true);
    for (const t of [0, 1, 2, 3, 4, 8]) expect(token(t).every(Number.isFinite), `token ${t}`).toBe(true);
    expect(token(0).every((value) => value === 0)).toBe(true);
  });

  /** Token by token, for their sizes differ too much for one NMSE; returns the results of the whole batch. */
  async function expectTokens(x: Float32Array, w: CaseOperand): Promise<Uint8Array> {
    for (let t = 0; t < x.length / 512; t++)
      await expectExact(multiply(operand([1, 512], x.slice(512 * t, 512 * (t + 1))), w));
    return runCase(running[0]!, multiply(operand([x.length / 512, 512], x), w));
  }
});

// Integer sums are exact and float operations have one order, so every engine and instruction set gives these bits.
it('gives the same bits with plain and relaxed SIMD, on every engine', async () => {
  const hash = createHash('sha256');
  for (const [i, type] of types.slice(0, 6).entries())
    for (const tokens of [1, 7])
      hash.update(await runCase(running[0]!, multiply(floats([tokens, 1280], i), weights(type, [13, 1280], i + 10))));
  expect(hash.digest('hex').slice(0, 16)).toBe('ef83ee76b0337e6b');
});

// Products that follow each other on one input round it once; nobody may notice.
describe('an input of several products', () => {
  const w = weights('Q8_0', [13, 512], 60);
  const inputs = [61, 62, 63].map((seed) => floats([3, 512], seed));
  const load = (device: Device, { dtype, shape, bytes }: CaseOperand) => {
    const tensor = device.alloc(dtype, shape);
    device.write(tensor, bytes);
    return tensor;
  };

  it.each(['another write', 'an op', 'another tensor in its place'])('is rounded anew after %s', async (change) => {
    const device = running[1]!;
    const [weight, y] = [load(device, w), device.alloc('F32', [3, 13])];
    const product = async (x: Tensor) => {
      device.run('matmul', [x, weight], y, {});
      return device.read(y);
    };
    const expected = [];
    for (const input of inputs) expected.push(await runCase(device, multiply(input, w)));
    let x = load(device, inputs[0]!);
    for (const [i, input] of inputs.entries()) {
      if (change === 'another write') device.write(x, input.bytes);
      else if (change === 'an op') {
        const source = load(device, input);
        device.run('scale', [source], x, { factor: 1 });
        device.free(source);
      } else {
        device.free(x);
        x = load(device, input);
      }
      for (let again = 0; again < 2; again++)
        expect(Buffer.compare(await product(x), expected[i]!), `input ${i}`).toBe(0);
    }
    const zeros = device.alloc('F32', [3, 512]);
    expect((await product(zeros)).every((byte) => byte === 0)).toBe(true);
    for (const tensor of [x, y, weight, zeros]) device.free(tensor);
  });

  it('is rounded for each size of block', async () => {
    const device = running[1]!;
    const x = load(device, inputs[0]!);
    for (const type of ['Q8_0', 'Q4_K', 'Q4_0', 'Q6_K']) {
      const stored = weights(type, [13, 512], 64);
      const [weight, y] = [load(device, stored), device.alloc('F32', [3, 13])];
      device.run('matmul', [x, weight], y, {});
      expect(Buffer.compare(await device.read(y), await runCase(device, multiply(inputs[0]!, stored))), type).toBe(0);
      device.run('matmul', [x, weight], y, {});
      for (const tensor of [weight, y]) device.free(tensor);
    }
    device.free(x);
  });
});
