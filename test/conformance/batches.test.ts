// A token's result does not depend on the tokens beside it: every bit is the same alone, in a small batch and in a large
// one, on any number of threads, with activations as they are and rounded.
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaseOperand, floats, runCase, weights } from './case.ts';

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
];

const rowsOf = ({ dtype, shape, bytes }: CaseOperand, first: number, count: number): CaseOperand => {
  const rowBytes = bytes.length / shape[0]!;
  return { dtype, shape: [count, shape[1]!], bytes: bytes.subarray(first * rowBytes, (first + count) * rowBytes) };
};

describe.each(['f32', 'int8'] as const)('activations %s', (activations) => {
  let one: Device;
  let three: Device;
  beforeAll(async () => {
    one = await cpuDevice({ threads: 1, activations });
    three = await cpuDevice({ threads: 3, activations });
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
