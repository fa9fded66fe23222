// GPTQ against the algorithm of the paper, computed in float64 one column at a time with an explicit inverse.
import { factoredInputs, quantizeGptq, quantizeMatrix } from '@quern/awq';
import { dequantize, type GroupedRows } from '@quern/packed';
import { cpuDevice, type Device } from '@quern/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordedTensors } from './recorded.ts';

const [rows, cols, tokens] = [24, 160, 200];
const grid = { bits: 4, groupSize: 32, symmetric: false, leastZero: 0 };
let device: Device;
let recorded: ReadonlyMap<string, ArrayBuffer>;
beforeAll(async () => {
  device = await cpuDevice({ threads: 1 });
  recorded = await recordedTensors('gptq.safetensors');
});
afterAll(() => device?.dispose());

function gramOf(x: Float32Array): Float32Array {
  const gram = new Float64Array(cols * cols);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < cols; i++)
      for (let j = 0; j < cols; j++) gram[i * cols + j]! += x[t * cols + i]! * x[t * cols + j]!;
  return Float32Array.from(gram);
}

it.each([
  ['plain', false],
  ['act_order', true],
] as const)('%s: the same scales, zeros and codes', async (name, actOrder) => {
  const gram = gramOf(new Float32Array(recorded.get('x')!));
  const weights = new Float32Array(recorded.get('w')!);
  const shape = { tensor: 'w', rows, cols };
  const inputs = await factoredInputs(gram, tokens, { actOrder, damp: 0.01, threads: 1, tensor: 'w' });
  const ours = await quantizeGptq(device, weights, shape, inputs, { grid, actOrder, freeGroups: true });
  const codes = new Uint8Array(recorded.get(`${name}.codes`)!);
  expect(share(ours.codes, codes)).toBeGreaterThan(0.995);
  expect(share(ours.zeros!, new Uint8Array(recorded.get(`${name}.zeros`)!))).toBeGreaterThan(0.99);
  expect(share(ours.scales, new Float32Array(recorded.get(`${name}.scales`)!))).toBeGreaterThan(0.97);
  expect(ours.groupOf === undefined).toBe(!actOrder);
});

it.each([
  ['in order', false, true],
  ['by importance', true, true],
  ['by importance within fixed groups', true, false],
] as const)('loses less than rounding to nearest: %s', async (_, actOrder, freeGroups) => {
  const x = new Float32Array(recorded.get('x')!);
  const weights = new Float32Array(recorded.get('w')!);
  const shape = { tensor: 'w', rows, cols };
  const inputs = await factoredInputs(gramOf(x), tokens, { actOrder, damp: 0.01, threads: 1, tensor: 'w' });
  const ours = await quantizeGptq(device, weights, shape, inputs, { grid, actOrder, freeGroups });
  expect(ours.groupOf !== undefined).toBe(actOrder && freeGroups);
  expect(outputError(ours, weights, x)).toBeLessThan(
    0.5 * outputError(quantizeMatrix(weights, shape, grid), weights, x),
  );
});

/** Σ ((W′ − W) x)² over all inputs. */
function outputError(rounded: GroupedRows, weights: Float32Array, x: Float32Array): number {
  const deltas = new Float32Array(rows * cols);
  dequantize(rounded, deltas);
  for (const [i, w] of weights.entries()) deltas[i]! -= w;
  let total = 0;
  for (let t = 0; t < tokens; t++)
    for (let r = 0; r < rows; r++) {
      let sum = 0;
      for (let c = 0; c < cols; c++) sum += deltas[r * cols + c]! * x[t * cols + c]!;
      total += sum * sum;
    }
  return total;
}

const share = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).filter((value, i) => value === b[i]).length / a.length;
