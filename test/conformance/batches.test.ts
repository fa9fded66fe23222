// A token's result does not depend on the tokens beside it: every bit is the same alone, in a small batch and in a large
// one, on any number of threads, with activations as they are and rounded.
import { cacheTypes, cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, type CaseOperand, floats, integers, runCase, weights } from './case.ts';
import { hasRelaxed, relaxedDevice } from './relaxed-simd.ts';

const tokens = 23;
const shapes: readonly (readonly [dtype: string, cols: number, rows: number])[] = [
  ['F32', 515, 13],
  ['F16', 1030, 16],
  ['BF16', 37, 7],
  ['Q4_0', 1056, 13],
  ['Q5_0', 4128, 8],
  ['Q8_0', 1056, 21],
  ['Q5_1', 544, 13],
  ['Q4_K', 1280, 13],
  ['Q5_K', 2304, 11],
  ['Q6_K', 1280, 29],
  ['Q4_1', 1056, 13],
  ['Q2_K', 1280, 19],
  ['Q3_K', 2304, 11],
  ['IQ4_NL', 1056, 13],
  ['IQ4_XS', 1280, 29],
  ['TQ2_0', 1280, 9],
  ['MXFP4', 1056, 13],
  ['IQ3_S', 1280, 13],
];

const rowsOf = ({ dtype, shape, bytes }: CaseOperand, first: number, count: number): CaseOperand => {
  const rowBytes = bytes.length / shape[0]!;
  return { dtype, shape: [count, shape[1]!], bytes: bytes.subarray(first * rowBytes, (first + count) * rowBytes) };
};

describe.each(['f32', 'int8'] as const)('activations %s', (activations) => {
  let one: Device;
  let three: Device;
  beforeAll(async () => {
    one = await (activations === 'int8' && hasRelaxed
      ? relaxedDevice()
      : cpuDevice({ threads: 1, activations, relaxedSimd: false }));
    three = await cpuDevice({ threads: 3, activations, relaxedSimd: false });
  });
  afterAll(() => Promise.all([one.dispose(), three.dispose()]));

  it.each(shapes)('%s, %i columns, %i rows', async (dtype, cols, rows) => {
    const x = floats([tokens, cols], 41);
    const [w, bias] = [weights(dtype, [rows, cols], 42), floats([rows], 43)];
    const multiply = (device: Device, first: number, count: number) =>
      runCase(device, {
        op: 'matmul',
        title: '',
        inputs: [rowsOf(x, first, count), w, bias],
        outputShape: [count, rows],
        params: {},
      });
    const together = await multiply(one, 0, tokens);
    expect(Buffer.compare(await multiply(three, 0, tokens), together), 'three threads').toBe(0);
    for (const size of [1, 2, 3, 4, 6]) {
      for (let first = 0; first + size <= tokens; first += size) {
        const part = together.subarray(first * rows * 4, (first + size) * rows * 4);
        expect(Buffer.compare(await multiply(one, first, size), part), `tokens ${first}, ${size} at a time`).toBe(0);
      }
    }
  });
});

describe.each(cacheTypes)('attention over a cache of %s', (type) => {
  let one: Device;
  let three: Device;
  beforeAll(async () => {
    one = await cpuDevice({ threads: 1 });
    three = await cpuDevice({ threads: 3 });
  });
  afterAll(() => Promise.all([one.dispose(), three.dispose()]));

  // Tokens of two sequences: of a long prompt 40, of the other 30 in the middle of the batch. As a batch they are enough
  // for every thread; alone, their positions are divided among the threads.
  const [heads, kvHeads, headDim, blockTokens] = [6, 2, 64, 16];
  const seqs = Array.from({ length: 70 }, (_, t) => (t >= 20 && t < 50 ? 1 : 0));
  const next = [1105, 490];
  const positions = seqs.map((seq) => next[seq]!++);
  const blocks = 2 * Math.ceil(1200 / blockTokens);
  const table = Array.from({ length: blocks }, (_, i) => (i * 7) % blocks);
  const q = floats([seqs.length, heads * headDim], 61, 2);
  const caches = [62, 63].map((seed) => weights(type, [blocks * blockTokens, kvHeads * headDim], seed, 1));

  const attend = (first: number, count: number, window?: number): Case<'attention'> => ({
    op: 'attention',
    title: '',
    inputs: [
      rowsOf(q, first, count),
      ...caches,
      integers([2, blocks / 2], table),
      integers([count], seqs.slice(first, first + count)),
      integers([count], positions.slice(first, first + count)),
    ],
    outputShape: [count, heads * headDim],
    params: { heads, kvHeads, headDim, blockTokens, scale: 0.125, window },
  });

  it.each([undefined, 700, 33])('window %s', async (window) => {
    const together = await runCase(one, attend(0, seqs.length, window));
    expect(Buffer.compare(await runCase(three, attend(0, seqs.length, window)), together), 'three threads').toBe(0);
    const rowBytes = heads * headDim * 4;
    for (const [size, device] of [
      [1, one],
      [1, three],
      [3, one],
      [10, three],
      [35, one],
    ] as const) {
      for (let first = 0; first + size <= seqs.length; first += size) {
        const part = together.subarray(first * rowBytes, (first + size) * rowBytes);
        const alone = await runCase(device, attend(first, size, window));
        expect(Buffer.compare(alone, part), `tokens ${first}, ${size} at a time`).toBe(0);
      }
    }
  });

  it('does not see what the tokens beside it see', async () => {
    const clean = await runCase(one, attend(0, seqs.length));
    const spoiled = attend(0, seqs.length);
    const last = positions[seqs.length - 1]!; // of sequence 0: only the last token sees it
    const cell = table[Math.floor(last / blockTokens)]! * blockTokens + (last % blockTokens);
    for (const operand of [1, 2]) {
      const { dtype, shape, bytes } = spoiled.inputs[operand]!;
      const rowBytes = bytes.length / shape[0]!;
      const withNaN = bytes.slice().fill(0xff, cell * rowBytes, (cell + 1) * rowBytes); // F16 scales and F32 alike
      (spoiled.inputs as CaseOperand[])[operand] = { dtype, shape, bytes: withNaN };
    }
    const result = await runCase(one, spoiled);
    const rowBytes = heads * headDim * 4;
    const untouched = (seqs.length - 1) * rowBytes;
    expect(Buffer.compare(result.subarray(0, untouched), clean.subarray(0, untouched))).toBe(0);
    expect(new Float32Array(result.buffer, untouched, 1)[0]).toBeNaN();
  });
});
