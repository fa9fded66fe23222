// Ops on the reference device from plain numbers, for tests that know the results.
import type { OpName, OpParams } from '../../ops/index.ts';
import { referenceDevice } from '../reference-device.ts';

export const device = referenceDevice({ memoryBytes: 1 << 20 });
const bytes = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

export function tensor(values: Float32Array | Int32Array | Uint16Array, shape: number[], dtype = 'F32') {
  const t = device.alloc(dtype, shape);
  device.write(t, bytes(values));
  return t;
}
export const f32 = (values: number[], shape = [1, values.length]) => tensor(Float32Array.from(values), shape);
export const i32 = (values: number[], shape = [values.length]) => tensor(Int32Array.from(values), shape, 'I32');

export const read = async (values: ReturnType<typeof tensor>) => [
  ...new Float32Array((await device.read(values)).buffer),
];

export async function run<N extends OpName>(
  op: N,
  inputs: ReturnType<typeof f32>[],
  shape: number[],
  params: OpParams[N],
) {
  const y = device.alloc('F32', shape);
  device.run(op, inputs, y, params);
  return read(y);
}
