// Attention on the WebGPU device: which tokens share what they read, and that nothing else of each other reaches them.
import { type Device, type Tensor, type WebgpuDevice, webgpuDevice } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floats } from './case.ts';
import { floatsOf } from './rounded-case.ts';
import { useSwiftShader } from './software-gpu.ts';

const missing = useSwiftShader();
const [heads, kvHeads, headDim, blockTokens, cells] = [4, 2, 32, 16, 64];

describe.skipIf(missing)(`attention on webgpu${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let device: WebgpuDevice;
  beforeAll(async () => {
    device = await webgpuDevice({ software: true, capabilities: { teams: true, subgroups: false } });
  });
  afterAll(() => device.dispose());

  /** Two sequences of two blocks; `seq` and `pos` of the batch. Returns the rows of y and how many dispatches it took. */
  async function attend(seq: number[], pos: number[], change: (values: Float32Array) => void = () => {}) {
    const upload = (shape: number[], values: Float32Array | Int32Array): Tensor => {
      const tensor = device.alloc(values instanceof Int32Array ? 'I32' : 'F32', shape);
      device.write(tensor, new Uint8Array(values.buffer));
      return tensor;
    };
    const T = seq.length;
    const random = (rows: number, cols: number, seed: number) => floatsOf(floats([rows, cols], seed));
    const values = random(cells, kvHeads * headDim, 3);
    change(values);
    const y = device.alloc('F32', [T, heads * headDim]);
    const inputs = [
      upload([T, heads * headDim], random(T, heads * headDim, 1)),
      upload([cells, kvHeads * headDim], random(cells, kvHeads * headDim, 2)),
      upload([cells, kvHeads * headDim], values),
      upload([2, 2], Int32Array.of(0, 1, 2, 3)),
      upload([T], Int32Array.from(seq)),
      upload([T], Int32Array.from(pos)),
    ];
    const before = device.counts.dispatches;
    const params = { heads, kvHeads, headDim, scale: 0.2, blockTokens };
    (device as Device).run('attention', inputs, y, params);
    const dispatches = device.counts.dispatches - before;
    const rows = new Float32Array((await device.read(y)).buffer);
    return { rows: seq.map((_, t) => rows.subarray(t * heads * headDim, (t + 1) * heads * headDim)), dispatches };
  }

  const prompt = Array.from({ length: 20 }, (_, i) => i);

  it('keeps a value that is no number from the tokens before it', async () => {
    const { rows } = await attend(
      prompt.map(() => 1),
      prompt,
      (values) => values.fill(Number.NaN, (32 + 12) * kvHeads * headDim, (32 + 13) * kvHeads * headDim),
    );
    for (const [t, row] of rows.entries()) expect(row.every(Number.isFinite), `token ${t}`).toBe(t < 12);
  });

  it('divides a batch into runs of a sequence, and tokens of others', async () => {
    const { dispatches } = await attend([0, 1, 0, 0, 1, 1, 1, 1, 0], [5, 6, 7, 8, 7, 8, 9, 10, 8]);
    expect(dispatches).toBe(3); // four tokens by themselves, a run of four, one more by itself
  });
});
