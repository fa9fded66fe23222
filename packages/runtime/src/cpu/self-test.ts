// Run when a device starts: proves that this engine compiles the kernels correctly (Node 20's baseline compiler has
// miscompiled vector code before), and runs them often enough that its optimising compiler takes over.
import { codecOf, type DType, dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { CrewMember } from './crew.ts';
import type { Heap } from './heap.ts';
import { roundedRowBytes } from './rounded-row.ts';

const TOKENS = 5; // a tile of 4 and a single one
const COLS = 512;
const ROWS = 13; // a panel of 8 and a rest
const GROUPS = 2;
const FLOAT_ROUNDS = 40;
const INTEGER_ROUNDS = 4;

/** F16 1. */
const ONE = [0x00, 0x3c];
/** Types with integer kernels, where their blocks keep the numbers that scale everything, and what 1 is there. */
const scaledBy: Readonly<Record<string, { readonly at: readonly number[]; readonly one: readonly number[] }>> = {
  Q4_0: { at: [0], one: ONE },
  Q4_1: { at: [0, 2], one: ONE },
  Q5_0: { at: [0], one: ONE },
  Q5_1: { at: [0, 2], one: ONE },
  Q8_0: { at: [0], one: ONE },
  Q2_K: { at: [80, 82], one: ONE },
  Q3_K: { at: [108], one: ONE },
  Q4_K: { at: [0, 2], one: ONE },
  Q5_K: { at: [0, 2], one: ONE },
  Q6_K: { at: [208], one: ONE },
  IQ4_NL: { at: [0], one: ONE },
  IQ4_XS: { at: [0], one: ONE },
  TQ2_0: { at: [64], one: ONE },
  MXFP4: { at: [0], one: [0x80] },
};

/** @throws QuernError `device-self-test` */
export function selfTest(leader: CrewMember, heap: Heap, integers: boolean): void {
  testKernel(leader, heap, floatWeights(), undefined, FLOAT_ROUNDS);
  if (!integers) return;
  for (const [name, scales] of Object.entries(scaledBy)) {
    const dtype = dtypeByName(name);
    testKernel(leader, heap, randomBlocks(dtype, scales), dtype, INTEGER_ROUNDS);
  }
}

/** Small integers: every order of summation gives the same exact result, and rounding to 8 bits changes none. */
function activations(): Float32Array {
  return Float32Array.from({ length: TOKENS * COLS }, (_, i) => (i % 32 === 5 ? 127 : ((i * 7) % 7) - 3));
}

function floatWeights(): Uint8Array {
  return new Uint8Array(Float32Array.from({ length: ROWS * COLS }, (_, i) => ((i * 5) % 13) - 6).buffer);
}

/** Any bytes, but with scales of 1: integers again. */
function randomBlocks(
  { blockSize, typeSize }: DType,
  { at, one }: { readonly at: readonly number[]; readonly one: readonly number[] },
): Uint8Array {
  const bytes = Uint8Array.from(
    { length: ((ROWS * COLS) / blockSize) * typeSize },
    (_, i) => (i * i * 31 + i * 7) >> 3,
  );
  for (let block = 0; block < bytes.length; block += typeSize) for (const scale of at) bytes.set(one, block + scale);
  return bytes;
}

function testKernel(
  leader: CrewMember,
  heap: Heap,
  stored: Uint8Array,
  dtype: DType | undefined,
  rounds: number,
): void {
  const xs = activations();
  const weights = new Float32Array(ROWS * COLS);
  codecOf(dtype ?? dtypeByName('F32')).decode(stored, weights);
  const { blockSize, typeSize, ggmlId } = dtype ?? dtypeByName('F32');
  const rowBytes = dtype ? roundedRowBytes(COLS, blockSize) : 4 * COLS;
  const whole = (stored.length / ROWS) * 8 * GROUPS;
  const sizes = [4 * xs.length, whole, whole, 4 * TOKENS * ROWS, TOKENS * rowBytes];
  const places = sizes.map((bytes) => heap.allocate(bytes)!);
  const [x, stored8, w, y, rounded] = places as [number, number, number, number, number];
  new Float32Array(heap.memory.buffer, x, xs.length).set(xs);
  new Uint8Array(heap.memory.buffer, dtype ? stored8 : w, stored.length).set(stored);
  const panel = [w, 0, COLS, ggmlId!, blockSize, typeSize, dtype ? 1 : 0, 0];
  const words = [dtype ? rounded : x, rowBytes, y, TOKENS, ROWS, ...panel];
  if (dtype) {
    const moving = [stored8, w, COLS / blockSize, ggmlId!, typeSize, 0];
    leader.run({ kernel: 'moveGroups', words: moving, items: GROUPS, itemsPerChunk: GROUPS });
  }
  for (let round = 0; round < rounds; round++) {
    if (dtype)
      leader.run({
        kernel: 'roundRows',
        words: [x, COLS, blockSize, rowBytes, rounded],
        items: TOKENS,
        itemsPerChunk: TOKENS,
      });
    leader.run({ kernel: 'matmul', words, items: Math.ceil(ROWS / 8), itemsPerChunk: 4 });
    if (round > 0 && round < rounds - 1) continue;
    const results = new Float32Array(heap.memory.buffer, y, TOKENS * ROWS);
    if (!results.every((value, i) => value === product(xs, weights, i)))
      throw new QuernError('device-self-test', 'This JavaScript engine computes the matmul kernel wrongly.', {
        remedy: 'Use another version of Node or the reference device.',
      });
  }
  for (const [i, address] of places.entries()) heap.release(address, sizes[i]!);
}

function product(xs: Float32Array, weights: Float32Array, index: number): number {
  const [t, r] = [Math.floor(index / ROWS), index % ROWS];
  let sum = 0;
  for (let c = 0; c < COLS; c++) sum += xs[t * COLS + c]! * weights[r * COLS + c]!;
  return sum;
}
