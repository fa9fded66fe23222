// One conformance case: an op with operands as plain values. Any device can run it.
import { codecOf, dtypeByName, rowBytes } from '@quern/blocks';
import { type Device, type OpName, type OpParams, ops, type Tensor } from '@quern/runtime';
import { randomFloats, randomSource } from './random.ts';

export interface CaseOperand {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface Case<Name extends OpName = OpName> {
  readonly op: Name;
  readonly title: string;
  readonly inputs: readonly CaseOperand[];
  readonly outputShape: readonly number[];
  readonly params: OpParams[Name];
  /** The output's type where the op leaves a choice. */
  readonly outputType?: string;
  /** What the output holds before the op, when that matters. */
  readonly before?: Uint8Array;
  /** Mean square of the output to expect; keeps a case of few outputs that happen to be near 0 from dividing by them. */
  readonly typicalSquare?: number;
}

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);

export const floats = (shape: readonly number[], seed: number, spread = 1): CaseOperand => ({
  dtype: 'F32',
  shape,
  bytes: bytesOf(randomFloats(sizeOf(shape), randomSource(seed), spread)),
});

export const integers = (shape: readonly number[], values: readonly number[]): CaseOperand => ({
  dtype: 'I32',
  shape,
  bytes: bytesOf(Int32Array.from(values)),
});

export function weights(dtypeName: string, shape: readonly number[], seed: number, spread = 0.1): CaseOperand {
  const dtype = dtypeByName(dtypeName);
  const cols = shape.at(-1)!;
  const bytes = new Uint8Array((sizeOf(shape) / cols) * rowBytes(dtype, cols));
  codecOf(dtype).encode(randomFloats(sizeOf(shape), randomSource(seed), spread), bytes, cols);
  return { dtype: dtypeName, shape, bytes };
}

/** Uploads the operands, runs the op, returns the output's bytes and frees everything. */
export async function runCase(
  device: Device,
  { op, inputs, outputShape, outputType, params, before }: Case,
): Promise<Uint8Array> {
  const upload = ({ dtype, shape, bytes }: CaseOperand): Tensor => {
    const tensor = device.alloc(dtype, shape);
    device.write(tensor, bytes);
    return tensor;
  };
  const tensors = inputs.map(upload);
  const dtype = outputType ?? ops[op].output.dtype;
  const output = before ? upload({ dtype, shape: outputShape, bytes: before }) : device.alloc(dtype, outputShape);
  device.run(op, tensors, output, params);
  const result = await device.read(output);
  for (const tensor of [...tensors, output]) device.free(tensor);
  return result;
}

/** How far the output of a case is from the truth: NMSE of floats; of a stored type, whether the bytes are the same. */
export const errorOf = ({ outputType, typicalSquare }: Case, y: Uint8Array, truth: Uint8Array): number =>
  outputType === undefined || outputType === 'F32'
    ? nmse(y, truth, typicalSquare)
    : Buffer.compare(y, truth) === 0
      ? 0
      : Infinity;

/** ‖y − truth‖² / ‖truth‖²; Infinity when a NaN stands on one side only. */
export function nmse(y: Uint8Array, truth: Uint8Array, typicalSquare = 0): number {
  const [a, b] = [y, truth].map((bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4));
  let error = 0;
  let power = 0;
  for (let i = 0; i < b!.length; i++) {
    if (Object.is(a![i], b![i])) {
      power += Number.isFinite(b![i]) ? b![i]! ** 2 : 0;
      continue;
    }
    const difference = (a![i]! - b![i]!) ** 2;
    error += Number.isNaN(difference) ? Infinity : difference;
    power += b![i]! ** 2;
  }
  return error === 0 ? 0 : error / Math.max(power, typicalSquare * b!.length);
}
