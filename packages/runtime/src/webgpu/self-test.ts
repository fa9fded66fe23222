// Run once when a device opens: proves that this driver computes the kernels correctly, above all those that combine lanes
// by subgroups. Small integers, so that every order of summation gives the same exact result.
import type { WebgpuDevice } from './webgpu-device.ts';

const COLS = 320;
const ROWS = 70; // more than a tile, and a rest

export async function selfTest(device: WebgpuDevice): Promise<boolean> {
  for (const tokens of [1, 13]) if (!(await multiplies(device, tokens))) return false;
  return true;
}

async function multiplies(device: WebgpuDevice, tokens: number): Promise<boolean> {
  const xs = Float32Array.from({ length: tokens * COLS }, (_, i) => ((i * 7) % 11) - 5);
  const ws = Float32Array.from({ length: ROWS * COLS }, (_, i) => ((i * 5) % 13) - 6);
  const shapes = [
    [tokens, COLS],
    [ROWS, COLS],
    [tokens, ROWS],
  ];
  const [x, w, y] = shapes.map((shape) => device.alloc('F32', shape, 'self-test'));
  try {
    device.write(x!, new Uint8Array(xs.buffer));
    device.write(w!, new Uint8Array(ws.buffer));
    device.run('matmul', [x!, w!], y!, {});
    const product = new Float32Array((await device.read(y!)).buffer);
    return product.every((value, i) => {
      const [t, r] = [Math.floor(i / ROWS), i % ROWS];
      let sum = 0;
      for (let c = 0; c < COLS; c++) sum += xs[t * COLS + c]! * ws[r * COLS + c]!;
      return value === sum;
    });
  } finally {
    for (const tensor of [x, w, y]) device.free(tensor!);
  }
}
