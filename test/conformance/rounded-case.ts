// Cases for integer kernels, and with the activations that they see, as plain TypeScript rounds them.
import { dtypeByName, roundActivations } from '@quern/blocks';
import { type Case, type CaseOperand, floats, weights } from './case.ts';

export const floatsOf = ({ bytes }: CaseOperand) =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export const operand = (shape: readonly number[], values: Float32Array): CaseOperand => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(values.buffer),
});

export function rounded(entry: Case): Case {
  const [x, w, ...rest] = entry.inputs;
  const { blockSize } = dtypeByName(w!.dtype);
  const values = roundActivations(floatsOf(x!), blockSize as 32 | 256);
  return { ...entry, inputs: [operand(x!.shape, values), w!, ...rest] };
}

export const multiply = (x: CaseOperand, w: CaseOperand): Case<'matmul'> => ({
  op: 'matmul',
  title: `${w.dtype} ${x.shape.join('×')}`,
  inputs: [x, w],
  outputShape: [x.shape[0]!, w.shape[0]!],
  params: {},
  typicalSquare: x.shape[1]! * 0.1 ** 2,
});

export const integerTypes: readonly string[] = ['Q4_0', 'Q5_0', 'Q8_0', 'Q4_K', 'Q5_K', 'Q6_K'];

/** All types with one token, with few and with a tile: a sample, since a driver compiles each for a second. */
export const integerProducts = integerTypes.flatMap((type, i) =>
  [1, 4, 33].map((tokens) => multiply(floats([tokens, 768], 10 * i + tokens), weights(type, [70, 768], i))),
);
