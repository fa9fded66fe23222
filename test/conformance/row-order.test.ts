// The first integer matmul puts rows of weights side by side in memory. Nobody sees it: every op and every read gives the
// same bytes before and after, for any number of rows, for views that begin anywhere, after weights are written anew.
import { codecOf, dtypeByName } from '@quern/blocks';
import { cpuDevice, type Device, type Tensor } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats, weights } from './case.ts';

const types = [
  ...['Q4_0', 'Q4_1', 'Q5_0', 'Q5_1', 'Q8_0', 'Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'],
  ...['IQ4_NL', 'IQ4_XS', 'TQ2_0', 'MXFP4'],
];
const cols = 512;

let device: Device;
beforeAll(async () => {
  device = await cpuDevice({ threads: 2, activations: 'int8' });
});
afterAll(() => device.dispose());

function load(dtype: string, shape: readonly number[], bytes: Uint8Array): Tensor {
  const tensor = device.alloc(dtype, shape);
  device.write(tensor, bytes);
  return tensor;
}

async function product(x: Tensor, w: Tensor): Promise<Buffer> {
  const y = device.alloc('F32', [x.shape[0]!, w.shape[0]!]);
  device.run('matmul', [x, w], y, {});
  const bytes = await device.read(y);
  device.free(y);
  return Buffer.from(bytes);
}

/** Columns `first` … of a matrix of floats. */
const columns = (y: Buffer, width: number, first: number, count: number) =>
  Buffer.concat(
    Array.from({ length: y.length / (4 * width) }, (_, t) =>
      y.subarray(4 * (t * width + first), 4 * (t * width + first + count)),
    ),
  );

describe.each(types)('%s', (dtype) => {
  const rowBytes = (cols / dtypeByName(dtype).blockSize) * dtypeByName(dtype).typeSize;

  it.each([1, 7, 8, 21])('%i rows read back as they were written', async (rows) => {
    const { bytes } = weights(dtype, [rows, cols], 3);
    const w = load(dtype, [rows, cols], bytes);
    const x = load('F32', [5, cols], floats([5, cols], 4).bytes);
    const y = await product(x, w);
    expect(Buffer.compare(await device.read(w), bytes)).toBe(0);
    expect(Buffer.compare(await product(x, w), y), 'once more').toBe(0);
    const part = await device.read(w, (rows - 1) * rowBytes, rowBytes);
    expect(Buffer.compare(part, bytes.subarray((rows - 1) * rowBytes))).toBe(0);
    for (const tensor of [w, x]) device.free(tensor);
  });

  it('embeds the same rows before and after', async () => {
    const { bytes } = weights(dtype, [13, cols], 5);
    const table = load(dtype, [13, cols], bytes);
    const ids = load('I32', [4], new Uint8Array(Int32Array.of(12, 0, 7, 8).buffer));
    const expected = Float32Array.from(
      [12, 0, 7, 8].flatMap((id) => {
        const row = new Float32Array(cols);
        codecOf(dtypeByName(dtype)).decode(bytes.subarray(id * rowBytes, (id + 1) * rowBytes), row);
        return [...row];
      }),
    );
    const y = device.alloc('F32', [4, cols]);
    const x = load('F32', [1, cols], floats([1, cols], 6).bytes);
    for (const when of ['before', 'after']) {
      device.run('embed', [table, ids], y, {});
      expect(Buffer.compare(await device.read(y), new Uint8Array(expected.buffer)), when).toBe(0);
      await product(x, table);
    }
    const below = device.view(table, [10, cols], 3 * rowBytes);
    device.run('embed', [below, load('I32', [4], new Uint8Array(Int32Array.of(9, 0, 4, 5).buffer))], y, {});
    const shifted = new Float32Array((await device.read(y)).buffer);
    expect(shifted.subarray(0, cols)).toEqual(expected.subarray(0, cols));
    for (const tensor of [table, ids, y, x]) device.free(tensor);
  });

  it('multiplies views that begin at any row', async () => {
    const w = load(dtype, [29, cols], weights(dtype, [29, cols], 7).bytes);
    const x = load('F32', [6, cols], floats([6, cols], 8).bytes);
    const whole = await product(x, w);
    for (const [first, count] of [
      [3, 8],
      [3, 16],
      [5, 3],
      [8, 8],
      [15, 14],
    ] as const) {
      const y = await product(x, device.view(w, [count, cols], first * rowBytes));
      expect(Buffer.compare(y, columns(whole, 29, first, count)), `rows ${first} + ${count}`).toBe(0);
    }
    for (const tensor of [w, x]) device.free(tensor);
  });

  it('multiplies what was written last, whole or in part', async () => {
    const [old, fresh] = [weights(dtype, [13, cols], 9).bytes, weights(dtype, [13, cols], 10).bytes];
    const x = load('F32', [1, cols], floats([1, cols], 11).bytes);
    const w = load(dtype, [13, cols], old);
    const before = await product(x, w);
    device.write(w, fresh.subarray(4 * rowBytes, 9 * rowBytes), 4 * rowBytes);
    const mixed = await product(x, w);
    device.write(w, fresh);
    const after = await product(x, w);
    expect(columns(mixed, 13, 0, 4)).toEqual(columns(before, 13, 0, 4));
    expect(columns(mixed, 13, 4, 5)).toEqual(columns(after, 13, 4, 5));
    expect(columns(mixed, 13, 9, 4)).toEqual(columns(before, 13, 9, 4));
    for (const tensor of [w, x]) device.free(tensor);
  });

  it('multiplies weights seen with other columns', async () => {
    const bytes = weights(dtype, [16, cols], 12).bytes;
    const w = load(dtype, [16, cols], bytes);
    const x = load('F32', [2, cols], floats([2, cols], 13).bytes);
    const wide = load('F32', [2, 2 * cols], floats([2, 2 * cols], 14).bytes);
    const narrow = await product(x, w);
    const alone = load(dtype, [8, 2 * cols], bytes);
    expect(await product(wide, device.view(w, [8, 2 * cols]))).toEqual(await product(wide, alone));
    expect(await product(x, w)).toEqual(narrow);
    for (const tensor of [w, x, wide, alone]) device.free(tensor);
  });
});
