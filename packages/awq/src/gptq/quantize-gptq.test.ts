import { cpuDevice } from '@quern/runtime';
import { expect, it } from 'vitest';
import { factoredInputs } from './hessian.ts';
import { quantizeGptq } from './quantize-gptq.ts';
import { stripRows } from './round-block.ts';

// Rows do not see each other, so no row may depend on the strip, or the place in it, that it is rounded in.
it.each([
  ['in order', false, true],
  ['by importance', true, true],
  ['by importance within fixed groups', true, false],
] as const)('gives every row what it gives the row alone: %s', async (_, actOrder, freeGroups) => {
  const [rows, cols, tokens] = [stripRows + 6, 160, 200];
  const device = await cpuDevice({ threads: 1 });
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  const weights = Float32Array.from({ length: rows * cols }, next);
  const gram = new Float32Array(cols * cols);
  for (let t = 0; t < tokens; t++) {
    let before = 0;
    const x = Float64Array.from({ length: cols }, (_, col) => {
      before = 0.7 * before + next();
      return col === 77 ? 0 : before;
    });
    for (let i = 0; i < cols; i++) for (let j = 0; j < cols; j++) gram[i * cols + j]! += x[i]! * x[j]!;
  }
  const grid = { bits: 4, groupSize: 32, symmetric: false, leastZero: 0 };
  const inputs = await factoredInputs(gram, tokens, { actOrder, damp: 0.01, threads: 1, tensor: 'w' });
  const options = { grid, actOrder, freeGroups };
  const quantize = (first: number, count: number) =>
    quantizeGptq(
      device,
      weights.subarray(first * cols, (first + count) * cols),
      { tensor: 'w', rows: count, cols },
      inputs,
      options,
    );
  const whole = await quantize(0, rows);
  for (const row of [0, 1, 67, stripRows - 1, stripRows, stripRows + 5]) {
    const alone = await quantize(row, 1);
    expect(whole.codes.subarray(row * cols, (row + 1) * cols)).toEqual(alone.codes);
    expect(whole.scales.subarray((row * cols) / 32, ((row + 1) * cols) / 32)).toEqual(alone.scales);
    expect(whole.zeros!.subarray((row * cols) / 32, ((row + 1) * cols) / 32)).toEqual(alone.zeros);
  }
  await device.dispose();
});
