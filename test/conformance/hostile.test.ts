// Calls that must be refused, on every device, before any memory is touched.
import { QuernError } from '@quern/errors';
import type { Device, OpName, Tensor } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devices as cpuDevices, webgpuDevices } from './devices.ts';

type Refusal = [title: string, code: string, names: RegExp, call: (device: Device) => void];

const f32 = (device: Device, ...shape: number[]) => device.alloc('F32', shape);
function i32(device: Device, shape: number[], values: number[]): Tensor {
  const tensor = device.alloc('I32', shape);
  device.write(tensor, new Uint8Array(Int32Array.from(values).buffer));
  return tensor;
}
const anyParams = (params: Record<string, unknown>) => params as never;

const rope = { heads: 2, headDim: 8, rotaryDim: 8, style: 'neox' } as const;
const ropeWith = (change: Record<string, unknown>) => (device: Device) =>
  device.run(
    'rope',
    [f32(device, 3, 16), f32(device, 3, 4), f32(device, 3, 4)],
    f32(device, 3, 16),
    anyParams({ ...rope, ...change }),
  );

const attention = { heads: 2, kvHeads: 1, headDim: 8, scale: 1, blockTokens: 4 };
/** A valid call (2 sequences of up to 3 blocks, 4 blocks in the cache) with one thing changed. */
const attend =
  ({ table = [3, 1, 9, 0, 2, -5], seq = [0, 1], pos = [7, 5], cells = 16, kvDim = 8, valueDim = 8, params = {} }) =>
  (device: Device) => {
    const paging = [i32(device, [2, 3], table), i32(device, [2], seq), i32(device, [2], pos)];
    const cache = f32(device, cells, kvDim);
    const y = f32(device, 2, 2 * valueDim);
    const heads = anyParams({ ...attention, ...(valueDim !== 8 && { valueDim }), ...params });
    device.run('attention', [f32(device, 2, 16), cache, cache, ...paging], y, heads);
    device.run('kvWrite', [f32(device, 2, kvDim), ...paging], cache, { blockTokens: 4 });
  };

/** A valid call (1 token, 2 of 3 experts) with one thing changed. */
const multiplyExperts =
  ({ ids = [0, 2], rows = 1, w = [3, 2, 4] }) =>
  (device: Device) =>
    device.run(
      'matmulExperts',
      [f32(device, rows, 4), f32(device, ...w), i32(device, [1, 2], ids)],
      f32(device, 2, 2),
      {},
    );

const refusals: Refusal[] = [
  ['an unknown op', 'op-unknown', /nonsense/, (d) => d.run('nonsense' as OpName, [], f32(d, 1), anyParams({}))],
  ['an inherited name', 'op-unknown', /toString/, (d) => d.run('toString' as OpName, [], f32(d, 1), anyParams({}))],
  ['a missing operand', 'op-bad-operands', /matmul.*bias\?/, (d) => d.run('matmul', [f32(d, 1, 4)], f32(d, 1, 1), {})],
  [
    'an operand too many',
    'op-bad-operands',
    /add/,
    (d) => {
      const t = f32(d, 1, 4);
      d.run('add', [t, t, t], t, {});
    },
  ],
  [
    'different inner sizes',
    'op-bad-shape',
    /matmul: w .*C=4/,
    (d) => d.run('matmul', [f32(d, 2, 4), f32(d, 3, 5)], f32(d, 2, 3), {}),
  ],
  [
    'a wrong output',
    'op-bad-shape',
    /matmul: y .*R=3/,
    (d) => d.run('matmul', [f32(d, 2, 4), f32(d, 3, 4)], f32(d, 2, 4), {}),
  ],
  [
    'a wrong rank',
    'op-bad-shape',
    /rmsNorm: weight/,
    (d) => d.run('rmsNorm', [f32(d, 2, 4), f32(d, 1, 4)], f32(d, 2, 4), { eps: 1e-5 }),
  ],
  ['different shapes', 'op-bad-shape', /add: b/, (d) => d.run('add', [f32(d, 2, 4), f32(d, 4, 2)], f32(d, 2, 4), {})],
  [
    'stored activations',
    'op-bad-dtype',
    /add: a/,
    (d) => d.run('add', [d.alloc('F16', [4]), f32(d, 4)], f32(d, 4), {}),
  ],
  ['float ids', 'op-bad-dtype', /embed: ids/, (d) => d.run('embed', [f32(d, 9, 4), f32(d, 2)], f32(d, 2, 4), {})],
  [
    'weights without a codec',
    'dtype-without-codec',
    /I8/,
    (d) => d.run('matmul', [f32(d, 1, 4), d.alloc('I8', [1, 4])], f32(d, 1, 1), {}),
  ],
  [
    'NaN eps',
    'op-bad-param',
    /eps/,
    (d) => d.run('rmsNorm', [f32(d, 2, 4), f32(d, 4)], f32(d, 2, 4), { eps: Number.NaN }),
  ],
  [
    'negative eps',
    'op-bad-param',
    /eps/,
    (d) => d.run('rmsNorm', [f32(d, 2, 4), f32(d, 4)], f32(d, 2, 4), { eps: -1 }),
  ],
  ['a missing param', 'op-bad-param', /factor/, (d) => d.run('scale', [f32(d, 4)], f32(d, 4), anyParams({}))],
  [
    'an unknown act',
    'op-bad-param',
    /act.*silu/,
    (d) => d.run('gatedAct', [f32(d, 4), f32(d, 4)], f32(d, 4), anyParams({ act: 'swish' })),
  ],
  ['heads that do not fit the row', 'op-bad-shape', /rope: x/, ropeWith({ heads: 3 })],
  ['half a head', 'op-bad-param', /rope: heads/, ropeWith({ heads: 0.5 })],
  ['an odd rotaryDim', 'op-bad-param', /rotaryDim/, ropeWith({ rotaryDim: 7 })],
  ['a rotaryDim beyond the head', 'op-bad-param', /rotaryDim/, ropeWith({ headDim: 4, heads: 4 })],
  ['an unknown style', 'op-bad-param', /style/, ropeWith({ style: 'gptj' })],
  [
    'an id of the vocabulary size',
    'op-index-out-of-range',
    /embed: ids\[1\] is 9/,
    (d) => d.run('embed', [f32(d, 9, 4), i32(d, [2], [0, 9])], f32(d, 2, 4), {}),
  ],
  [
    'a negative id',
    'op-index-out-of-range',
    /embed: ids\[0\] is -1/,
    (d) => d.run('embed', [f32(d, 9, 4), i32(d, [1], [-1])], f32(d, 1, 4), {}),
  ],
  [
    'a row outside',
    'op-index-out-of-range',
    /gatherRows: rows/,
    (d) => d.run('gatherRows', [f32(d, 9, 4), i32(d, [1], [9])], f32(d, 1, 4), {}),
  ],
  [
    'a target outside',
    'op-index-out-of-range',
    /logProb: targets/,
    (d) => d.run('logProb', [f32(d, 1, 4), i32(d, [1], [4])], f32(d, 1), {}),
  ],
  ['a sequence outside', 'op-index-out-of-range', /attention: seq\[1\] is 2/, attend({ seq: [0, 2] })],
  ['a position outside the table', 'op-index-out-of-range', /attention: pos\[0\] is 12/, attend({ pos: [12, 5] })],
  ['a negative position', 'op-index-out-of-range', /attention: pos/, attend({ pos: [-1, 5] })],
  [
    'a block outside the cache',
    'op-index-out-of-range',
    /blockTable\[1\]\[1\] is 4/,
    attend({ table: [3, 1, 9, 0, 4, -5] }),
  ],
  ['a negative block', 'op-index-out-of-range', /blockTable\[0\]\[0\] is -1/, attend({ table: [-1, 1, 9, 0, 2, -5] })],
  ['an unused entry that becomes used', 'op-index-out-of-range', /blockTable\[0\]\[2\] is 9/, attend({ pos: [8, 5] })],
  ['a cache of part of a block', 'op-bad-shape', /15 cells/, attend({ cells: 15 })],
  [
    'heads that kvHeads do not divide',
    'op-bad-param',
    /kvHeads/,
    attend({ kvDim: 12, params: { heads: 4, kvHeads: 3, headDim: 4 } }),
  ],
  ['a headDim of 6', 'op-bad-param', /headDim.*multiple of 4/, attend({ params: { headDim: 6 } })],
  ['an empty window', 'op-bad-param', /window/, attend({ params: { window: 0 } })],
  ['an empty chunk', 'op-bad-param', /chunk/, attend({ params: { chunk: 0 } })],
  ['a cap of nothing', 'op-bad-param', /softCap is 0.*> 0/, attend({ params: { softCap: 0 } })],
  ['a doubtful direction', 'op-bad-param', /causal.*true or false/, attend({ params: { causal: 'no' } })],
  ['values of another size', 'op-bad-shape', /vCache has rows of 8/, attend({ cells: 16, kvDim: 8, valueDim: 12 })],
  [
    'a factor of another shape',
    'op-bad-shape',
    /multiply: by has shape \[2, 3\]/,
    (d) => d.run('multiply', [f32(d, 2, 4), f32(d, 2, 3)], f32(d, 2, 4), {}),
  ],
  [
    'gates that do not divide a row',
    'op-bad-shape',
    /gate: 3 gates/,
    (d) => d.run('gate', [f32(d, 2, 4), f32(d, 2, 3)], f32(d, 2, 4), { act: 'silu' }),
  ],
  [
    'groups that do not divide a row',
    'op-bad-param',
    /rmsNorm: 3 groups/,
    (d) => d.run('rmsNorm', [f32(d, 2, 4)], f32(d, 2, 4), { eps: 0, groups: 3 }),
  ],
  [
    'an output on an operand of another shape',
    'op-overlap',
    /matmul.*x/,
    (d) => {
      const x = f32(d, 4, 4);
      d.run('matmul', [x, f32(d, 4, 4)], x, {});
    },
  ],
  [
    'an output that overlaps by half',
    'op-overlap',
    /add.*a/,
    (d) => {
      const whole = f32(d, 8);
      d.run('add', [d.view(whole, [4]), f32(d, 4)], d.view(whole, [4], 8), {});
    },
  ],
  [
    'more than all columns',
    'op-bad-param',
    /topK: 5 of 4/,
    (d) => d.run('topK', [f32(d, 2, 4)], d.alloc('I32', [2, 11]), { count: 5 }),
  ],
  ['no columns', 'op-bad-param', /count/, (d) => d.run('topK', [f32(d, 2, 4)], d.alloc('I32', [2, 1]), { count: 0 })],
  [
    'columns without values',
    'op-bad-shape',
    /topK: 2 columns/,
    (d) => d.run('topK', [f32(d, 2, 4)], d.alloc('I32', [2, 2]), { count: 2 }),
  ],
  [
    'more experts used than there are',
    'op-bad-param',
    /route: 5 of 4/,
    (d) => d.run('route', [f32(d, 2, 4)], d.alloc('I32', [2, 5]), { used: 5 }),
  ],
  [
    'float ids from a router',
    'op-bad-dtype',
    /route: ids is F32/,
    (d) => d.run('route', [f32(d, 2, 4)], f32(d, 2, 2), { used: 2 }),
  ],
  ['an expert outside', 'op-index-out-of-range', /matmulExperts: ids\[1\] is 3/, multiplyExperts({ ids: [0, 3] })],
  ['a negative expert', 'op-index-out-of-range', /matmulExperts: ids\[0\] is -1/, multiplyExperts({ ids: [-1, 0] })],
  ['rows for neither tokens nor slots', 'op-bad-shape', /matmulExperts: x has 3 rows/, multiplyExperts({ rows: 3 })],
  ['experts without a stack', 'op-bad-shape', /matmulExperts: w .*C=4/, multiplyExperts({ w: [12, 4] })],
  [
    'weights of another expert outside',
    'op-index-out-of-range',
    /routeWeights: ids/,
    (d) => d.run('routeWeights', [f32(d, 1, 4), i32(d, [1, 1], [4])], f32(d, 1, 1), { over: 'all' }),
  ],
  ['an unknown dtype', 'dtype-unknown', /Q9_Z/, (d) => d.alloc('Q9_Z', [4])],
  ['a row of half a block', 'row-not-whole-blocks', /Q4_K/, (d) => d.alloc('Q4_K', [2, 128])],
  ['an empty shape', 'tensor-bad-shape', /\[\]/, (d) => d.alloc('F32', [])],
  ['a size of 0', 'tensor-bad-shape', /\[0, 4\]/, (d) => d.alloc('F32', [0, 4])],
  ['a fractional size', 'tensor-bad-shape', /1\.5/, (d) => d.alloc('F32', [1.5, 4])],
  ['sizes beyond 2^53', 'tensor-bad-shape', /shape/, (d) => d.alloc('F32', [2 ** 40, 2 ** 40])],
  ['more than the memory', 'device-out-of-memory', /1099511627776/, (d) => d.alloc('F32', [2 ** 38])],
  ['a view beyond its tensor', 'tensor-bad-range', /view/, (d) => d.view(f32(d, 4), [4], 4)],
  ['a view at a negative offset', 'tensor-bad-range', /view/, (d) => d.view(f32(d, 4), [2], -4)],
  ['a view that splits a number', 'tensor-bad-range', /splits/, (d) => d.view(f32(d, 4), [2], 2)],
  ['a write beyond the end', 'tensor-bad-range', /write/, (d) => d.write(f32(d, 4), new Uint8Array(8), 12)],
  [
    'a freed tensor',
    'tensor-freed',
    /freed/,
    (d) => {
      const tensor = f32(d, 4);
      d.free(tensor);
      d.write(tensor, new Uint8Array(4));
    },
  ],
  [
    'freeing twice',
    'tensor-freed',
    /freed/,
    (d) => {
      const tensor = f32(d, 4);
      d.free(tensor);
      d.free(tensor);
    },
  ],
  [
    'a view of a freed tensor',
    'tensor-freed',
    /scale: x/,
    (d) => {
      const tensor = f32(d, 4);
      const view = d.view(tensor, [2]);
      d.free(tensor);
      d.run('scale', [view], view, { factor: 1 });
    },
  ],
  ['a tensor of nobody', 'tensor-foreign', /belong/, (d) => d.free({ dtype: 'F32', shape: [1], byteLength: 4 })],
];

const devices = { ...cpuDevices, ...webgpuDevices };

describe.each(Object.keys(devices))('%s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await devices[name]!();
  });
  afterAll(() => device.dispose());

  it.each(refusals)('refuses %s: %s', (_title, code, names, call) => {
    let error: unknown;
    try {
      call(device);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(QuernError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(names) });
  });

  it('accepts what the refused calls were made from', () => {
    attend({})(device);
    ropeWith({})(device);
  });

  it('refuses a tensor of another device', async () => {
    const other = await devices[name]!();
    expect(() => device.free(f32(other, 4))).toThrow(/does not belong/);
    await other.dispose();
  });

  it('rejects a read out of range', async () => {
    await expect((async () => device.read(f32(device, 4), 8, 12))()).rejects.toMatchObject({
      code: 'tensor-bad-range',
    });
  });
});
