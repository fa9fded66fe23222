// The states of sequences: a text in pieces gives what the whole gives, whatever else is in the batch; states of others stay.
import { type Device, type OpName, type OpParams, referenceDevice, type Tensor } from '@quern/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CaseOperand, floats, integers, nmse } from './case.ts';
import { devices as cpuDevices, webgpuDevices } from './devices.ts';

const [heads, size, slots] = [2, 20, 3];

interface Recurrent {
  op: OpName;
  /** Columns of what comes with each token, in the order of operands; what all tokens share; the state of a slot. */
  perToken: number[];
  shared: CaseOperand[];
  state: number[];
  outputCols: number;
  params: OpParams[OpName];
  /** The op's operands in order. */
  order: (perToken: Tensor[], shared: Tensor[], state: Tensor, numbers: Tensor[]) => Tensor[];
}

const recurrents: Recurrent[] = [
  {
    op: 'causalConv',
    perToken: [size],
    shared: [floats([size, 4], 1)],
    state: [3, size],
    outputCols: size,
    params: { act: 'silu' },
    order: (perToken, shared, state, numbers) => [...perToken, ...shared, state, ...numbers],
  },
  {
    op: 'gatedDeltaRule',
    perToken: [3 * heads * size, heads, heads],
    shared: [],
    state: [heads, size, size],
    outputCols: heads * size,
    params: { kHeads: heads, scale: 0.3, normEps: 1e-6 },
    order: (perToken, _shared, state, numbers) => [...perToken, state, ...numbers],
  },
  {
    op: 'mamba2Scan',
    perToken: [heads * size + 2 * size, heads],
    shared: [integersAsFloats([-1, -0.3]), floats([heads], 2)],
    state: [heads, size, size],
    outputCols: heads * size,
    params: { groups: 1 },
    order: (perToken, shared, state, numbers) => [...perToken, ...shared, state, ...numbers],
  },
];

function integersAsFloats(values: number[]): CaseOperand {
  return { dtype: 'F32', shape: [values.length], bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Texts of tokens: number `t` of text `n` has the same operands wherever it stands. */
const token = (cols: number, text: number, t: number) =>
  Array.from(floatsOf(floats([cols], 100 * text + t)), (value) => (cols === heads ? -Math.abs(value) : value));

const floatsOf = ({ bytes }: CaseOperand) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);

/** Runs batches of [text, token] pairs one after the other on one state; text n has slot 2 − n. Returns rows and state. */
async function runBatches(
  device: Device,
  { op, perToken, shared, state, outputCols, params, order }: Recurrent,
  batches: [number, number][][],
) {
  const upload = ({ dtype, shape, bytes }: CaseOperand): Tensor => {
    const tensor = device.alloc(dtype, shape);
    device.write(tensor, bytes);
    return tensor;
  };
  const held = device.alloc('F32', [slots, ...state]);
  const common = shared.map(upload);
  const rows = new Map<string, Float32Array>();
  for (const batch of batches) {
    const operands = perToken.map((cols) => {
      const values = Float32Array.from(batch.flatMap(([text, t]) => token(cols, text, t)));
      return upload({ dtype: 'F32', shape: [batch.length, cols], bytes: new Uint8Array(values.buffer) });
    });
    const numbers = [
      integers(
        [batch.length],
        batch.map(([text]) => text),
      ),
      integers([3], [2, 1, 0]),
    ].map(upload);
    const y = device.alloc('F32', [batch.length, outputCols]);
    device.run(op, order(operands, common, held, numbers), y, params);
    const values = new Float32Array((await device.read(y)).buffer);
    for (const [i, [text, t]] of batch.entries())
      rows.set(`${text} ${t}`, values.slice(i * outputCols, (i + 1) * outputCols));
    for (const tensor of [...operands, ...numbers, y]) device.free(tensor);
  }
  const left = await device.read(held);
  for (const tensor of [held, ...common]) device.free(tensor);
  return { rows, left };
}

const text = (n: number, length: number): [number, number][] => Array.from({ length }, (_, t) => [n, t]);
const bytes = (row: Float32Array | undefined) => new Uint8Array(row!.buffer);

const devices = { ...cpuDevices, ...webgpuDevices };

describe.each(Object.keys(devices))('%s', (name) => {
  let device: Device;
  beforeAll(async () => {
    device = await devices[name]!();
  });
  afterAll(() => device.dispose());

  it.each(recurrents)('$op', async (recurrent) => {
    const alone = await runBatches(device, recurrent, [text(0, 7)]);
    const truth = await runBatches(referenceDevice(), recurrent, [text(0, 7)]);
    const pieces = await runBatches(device, recurrent, [
      [
        [0, 0],
        [2, 0],
        [0, 1],
        [2, 1],
      ],
      [
        [2, 2],
        [0, 2],
      ],
      [
        [0, 3],
        [0, 4],
        [0, 5],
        [2, 3],
        [0, 6],
      ],
    ]);
    for (const [key, row] of alone.rows) {
      expect(pieces.rows.get(key), key).toEqual(row);
      expect(nmse(bytes(row), bytes(truth.rows.get(key))), key).toBeLessThan(1e-11);
    }
    const slotBytes = alone.left.length / slots;
    const slotOf = (left: Uint8Array, slot: number) => left.subarray(slot * slotBytes, (slot + 1) * slotBytes);
    expect(nmse(slotOf(alone.left, 2), slotOf(truth.left, 2))).toBeLessThan(1e-11);
    expect(slotOf(pieces.left, 2)).toEqual(slotOf(alone.left, 2));
    expect(slotOf(pieces.left, 1).every((byte) => byte === 0)).toBe(true); // of text 1, which has no tokens
    expect(slotOf(pieces.left, 0)).toEqual(slotOf((await runBatches(device, recurrent, [text(2, 4)])).left, 0));
  });

  it('refuses sequences that share a slot, and a state that is read elsewhere', () => {
    const f32 = (...shape: number[]) => device.alloc('F32', shape);
    const i32 = (values: number[]) => {
      const tensor = device.alloc('I32', [values.length]);
      device.write(tensor, new Uint8Array(Int32Array.from(values).buffer));
      return tensor;
    };
    const conv = (seq: number[], slotsOf: number[], state: Tensor, x = f32(seq.length, 4)) =>
      device.run('causalConv', [x, f32(4, 2), state, i32(seq), i32(slotsOf)], f32(seq.length, 4), {});
    const state = f32(2, 1, 4);
    expect(() => conv([0, 1], [1, 1], state)).toThrow(/sequences 0 and 1 share slot 1/);
    expect(() => conv([0], [2], state)).toThrow(/slots\[0\] is 2/);
    expect(() => conv([0], [0], state, device.view(state, [1, 4]))).toThrow(/state.*overlaps x/);
    expect(() => conv([0], [0], f32(2, 2, 4))).toThrow(/a state of 2 rows does not fit 2 taps/);
    conv([0, 0, 1], [1, 0], state);
  });
});
