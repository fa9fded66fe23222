// Run once when a device opens: proves that this driver computes the kernels correctly, above all those that combine lanes
// by subgroups. Small integers, so that every order of summation gives the same exact result.
import { dtypeByName, rowBytes } from '@quern/blocks';
import type { WebgpuDevice } from './webgpu-device.ts';

const COLS = 320;
const ROWS = 70; // more than a tile, and a rest

interface Factors {
  /** [tokens, COLS] */
  readonly x: (i: number) => number;
  /** [ROWS, COLS] */
  readonly w: (i: number) => number;
  readonly weightType: 'F32' | 'Q8_0';
}

/** A product with weights of F32. */
export const selfTest = (device: WebgpuDevice): Promise<boolean> =>
  multipliesAll(device, { x: (i) => ((i * 7) % 11) - 5, w: (i) => ((i * 5) % 13) - 6, weightType: 'F32' });

/** A product of stored integers with activations in 8 bits; that every block has 127 in it keeps them what they are. */
export const multipliesIntegers = (device: WebgpuDevice): Promise<boolean> =>
  multipliesAll(device, {
    x: (i) => (i % 32 === 0 ? 127 : ((i * 73) % 255) - 127),
    w: (i) => ((i * 31) % 256) - 128,
    weightType: 'Q8_0',
  });

async function multipliesAll(device: WebgpuDevice, factors: Factors): Promise<boolean> {
  for (const tokens of [1, 13]) if (!(await multiplies(device, factors, tokens))) return false;
  return true;
}

async function multiplies(device: WebgpuDevice, factors: Factors, tokens: number): Promise<boolean> {
  const xs = Float32Array.from({ length: tokens * COLS }, (_, i) => factors.x(i));
  const ws = Float32Array.from({ length: ROWS * COLS }, (_, i) => factors.w(i));
  const x = device.alloc('F32', [tokens, COLS], 'self-test');
  const w = device.alloc(factors.weightType, [ROWS, COLS], 'self-test');
  const y = device.alloc('F32', [tokens, ROWS], 'self-test');
  try {
    device.write(x, new Uint8Array(xs.buffer));
    device.write(w, factors.weightType === 'F32' ? new Uint8Array(ws.buffer) : blocksOfQ8_0(ws));
    device.run('matmul', [x, w], y, {});
    const product = new Float32Array((await device.read(y)).buffer);
    return product.every((value, i) => {
      const [t, r] = [Math.floor(i / ROWS), i % ROWS];
      let sum = 0;
      for (let c = 0; c < COLS; c++) sum += xs[t * COLS + c]! * ws[r * COLS + c]!;
      return value === sum;
    });
  } finally {
    for (const tensor of [x, w, y]) device.free(tensor);
  }
}

/** Q8_0 with a scale of 1: the codes are the numbers. */
function blocksOfQ8_0(values: Float32Array): Uint8Array {
  const { blockSize, typeSize } = dtypeByName('Q8_0');
  const bytes = new Uint8Array(rowBytes(dtypeByName('Q8_0'), values.length));
  for (let block = 0; block * blockSize < values.length; block++) {
    bytes.set([0x00, 0x3c], block * typeSize); // F16 1
    for (let i = 0; i < blockSize; i++) bytes[block * typeSize + 2 + i] = values[block * blockSize + i]!;
  }
  return bytes;
}
