// Matmuls that do not depend on each other leave the CPU device as one dispatch; those that do must not. Programs of
// matmuls and additions over a few tensors, in any order and with any of them as input or output, must give the same bits
// on one thread, where nothing overlaps in time, and on two.
import { codecOf, dtypeByName } from '@quern/blocks';
import { type CpuDevice, cpuDevice, type Tensor } from '@quern/runtime';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomFloats, randomSource } from './random.ts';

/** Enough for several chunks per matmul. */
const SIZE = 512;
const TOKENS = 64;
const VECTORS = 5;
const types = ['F32', 'Q8_0', 'Q4_K'];

/** `matmul` multiplies with one of the matrices, `add` adds the input to the output's old numbers. */
const step = fc.record({
  op: fc.constantFrom('matmul', 'matmul', 'matmul', 'matmul', 'add', 'embed'),
  matrix: fc.constantFrom(0, 0, 0, 1, 2), // floats above all: what is rounded first waits anyway
  from: fc.nat(VECTORS - 1),
  to: fc.nat(VECTORS - 1),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface Bench {
  readonly device: CpuDevice;
  readonly matrices: readonly Tensor[];
  readonly vectors: readonly Tensor[];
  readonly ids: Tensor;
}

let one: Bench;
let two: Bench;
beforeAll(async () => {
  [one, two] = [await prepare(1), await prepare(2)];
});
afterAll(async () => {
  await one.device.dispose();
  await two.device.dispose();
});

async function prepare(threads: number): Promise<Bench> {
  const device = await cpuDevice({ threads, activations: 'int8', memoryBytes: 2 ** 25 });
  const random = randomSource(7);
  const matrices = types.map((name) => {
    const dtype = dtypeByName(name);
    const bytes = new Uint8Array(((SIZE * SIZE) / dtype.blockSize) * dtype.typeSize);
    codecOf(dtype).encode(randomFloats(SIZE * SIZE, random, 1 / 16), bytes, SIZE);
    const tensor = device.alloc(name, [SIZE, SIZE]);
    device.write(tensor, bytes);
    return tensor;
  });
  const vectors = Array.from({ length: VECTORS }, () => device.alloc('F32', [TOKENS, SIZE]));
  const ids = device.alloc('I32', [TOKENS]);
  device.write(ids, new Uint8Array(Int32Array.from({ length: TOKENS }, (_, i) => 7 * i).buffer));
  return { device, matrices, vectors, ids };
}

async function compute({ device, matrices, vectors, ids }: Bench, program: readonly Step[]): Promise<Uint8Array[]> {
  const random = randomSource(8);
  for (const vector of vectors) device.write(vector, new Uint8Array(randomFloats(TOKENS * SIZE, random).buffer));
  for (const { op, matrix, from, to } of program) {
    const [w, x, y] = [matrices[matrix]!, vectors[from]!, vectors[to]!];
    if (op === 'embed') device.run('embed', [w, ids], y, {});
    else if (op === 'add') device.run('add', [y, x], y, {});
    else if (x !== y) device.run('matmul', [x, w], y, {});
  }
  const results: Uint8Array[] = [];
  for (const tensor of vectors) results.push(await device.read(tensor));
  return results;
}

test('programs of dependent and independent products give the same bits on one thread and on two', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (program) => {
      const [ours, expected] = [await compute(two, program), await compute(one, program)];
      expect(ours.map((bytes, i) => Buffer.compare(bytes, expected[i]!))).toEqual(ours.map(() => 0));
    }),
    { numRuns: 100, seed: 5 },
  );
});
