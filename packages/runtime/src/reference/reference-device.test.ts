// Values worked out by hand: the reference is the truth of the other devices, so it must not be checked against them.
import { describe, expect, it } from 'vitest';
import { device, f32, i32, run, tensor } from './testing/plain-calls.ts';

describe('reference ops', () => {
  it('multiplies with the weights transposed and adds the bias', async () => {
    const x = f32([1, 2, 3, 4], [2, 2]);
    const w = f32([1, 0, 0, 1, 2, -1], [3, 2]);
    expect(await run('matmul', [x, w], [2, 3], {})).toEqual([1, 2, 0, 3, 4, 2]);
    expect(await run('matmul', [x, w, f32([10, 20, 30], [3])], [2, 3], {})).toEqual([11, 22, 30, 13, 24, 32]);
  });

  it('decodes half weights', async () => {
    const halves = tensor(Uint16Array.of(0x3c00, 0xc000), [1, 2], 'F16'); // 1, -2
    expect(await run('matmul', [f32([3, 5]), halves], [1, 1], {})).toEqual([-7]);
    const brain = tensor(Uint16Array.of(0x3f80, 0xc000), [1, 2], 'BF16'); // 1, -2
    expect(await run('embed', [brain, i32([0])], [1, 2], {})).toEqual([1, -2]);
  });

  it('normalises by the root of the mean square', async () => {
    expect(await run('rmsNorm', [f32([3, 4]), f32([1, 2], [2])], [1, 2], { eps: 0 })).toEqual(
      [3, 8].map((v) => Math.fround(v / Math.sqrt(12.5))),
    );
  });

  it('rotates pairs of either style by a quarter turn and copies the rest', async () => {
    const x = f32([1, 2, 3, 4, 5, 6]);
    const tables = [f32([0, 1]), f32([1, 0])];
    const params = { heads: 1, headDim: 6, rotaryDim: 4 };
    expect(await run('rope', [x, ...tables], [1, 6], { ...params, style: 'norm' })).toEqual([-2, 1, 3, 4, 5, 6]);
    expect(await run('rope', [x, ...tables], [1, 6], { ...params, style: 'neox' })).toEqual([-3, 2, 1, 4, 5, 6]);
  });

  it('writes to the paged cache and attends over it', async () => {
    const paging = [i32([1, 0], [1, 2]), i32([0, 0, 0]), i32([0, 1, 2])]; // positions 0,1 in block 1; 2 in block 0
    const cache = device.alloc('F32', [4, 4]);
    device.run('kvWrite', [f32([1, 1, 1, 1, 2, 2, 2, 2, 6, 6, 6, 6], [3, 4]), ...paging], cache, { blockTokens: 2 });
    const cells = [...new Float32Array((await device.read(cache)).buffer)];
    expect(cells).toEqual([6, 6, 6, 6, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    const params = { heads: 1, kvHeads: 1, headDim: 4, scale: 1, blockTokens: 2 };
    const q = f32(new Array(12).fill(0), [3, 4]); // equal scores: the mean of the values
    const means = await run('attention', [q, cache, cache, ...paging], [3, 4], params);
    expect(means.filter((_, i) => i % 4 === 0)).toEqual([1, 1.5, 3]);
    const windowed = await run('attention', [q, cache, cache, ...paging], [3, 4], { ...params, window: 2 });
    expect(windowed.filter((_, i) => i % 4 === 0)).toEqual([1, 1.5, 4]);
  });

  it('gives log probabilities, softmax and activations', async () => {
    const [third] = await run('logProb', [f32([7, 7, 7]), i32([2])], [1], {});
    expect(third).toBeCloseTo(-Math.log(3), 6);
    expect(await run('softmax', [f32([1000, 1000])], [1, 2], {})).toEqual([0.5, 0.5]);
    const [silu] = await run('gatedAct', [f32([1]), f32([2])], [1, 1], { act: 'silu' });
    expect(silu).toBeCloseTo(2 * 0.7310585786, 6);
    const [gelu] = await run('gatedAct', [f32([1]), f32([1])], [1, 1], { act: 'gelu' });
    expect(gelu).toBeCloseTo(0.8411919906, 6);
  });

  it('adds squares to the sums so far, column by column, rounding each to f32', async () => {
    const sums = f32([100, 0, 16777216], [3]);
    device.run('sumSquares', [f32([1, -2, 1, 3, 4, 1], [2, 3])], sums, {});
    expect([...new Float32Array((await device.read(sums)).buffer)]).toEqual([110, 20, 16777216]); // 2^24 + 1 is no f32
  });

  it('adds and scales in place, gathers rows', async () => {
    const a = f32([1, 2]);
    device.run('add', [a, f32([10, 20])], a, {});
    device.run('scale', [a], a, { factor: 0.5 });
    expect([...new Float32Array((await device.read(a)).buffer)]).toEqual([5.5, 11]);
    expect(await run('gatherRows', [f32([1, 2, 3], [3, 1]), i32([2, 0])], [2, 1], {})).toEqual([3, 1]);
  });

  it('routes tokens to experts, weighs and combines them', async () => {
    // Three experts of [1, 2] weights; e^logit is 1, 3, 4, so the probabilities are 1/8, 3/8, 4/8.
    const logits = f32([0, Math.log(3), Math.log(4)]);
    const ids = device.alloc('I32', [1, 2]);
    device.run('route', [logits], ids, { used: 2 });
    expect([...new Int32Array((await device.read(ids)).buffer)]).toEqual([2, 1]);
    const all = await run('routeWeights', [logits, ids], [1, 2], { over: 'all' });
    expect(all[0]).toBeCloseTo(4 / 8, 6);
    expect(all[1]).toBeCloseTo(3 / 8, 6);
    const chosen = await run('routeWeights', [logits, ids], [1, 2], { over: 'chosen' });
    expect(chosen[0]).toBeCloseTo(4 / 7, 6);
    expect(chosen[1]).toBeCloseTo(3 / 7, 6);

    const stack = f32([1, 1, 10, 1, 100, 1], [3, 1, 2]);
    expect(await run('matmulExperts', [f32([2, 3]), stack, ids], [2, 1], {})).toEqual([203, 23]);
    expect(await run('matmulExperts', [f32([2, 3, 4, 5], [2, 2]), stack, ids], [2, 1], {})).toEqual([203, 45]);
    expect(await run('combineExperts', [f32([0.5, 2]), f32([1, 2, 3, 4], [2, 2])], [1, 2], {})).toEqual([6.5, 9]);
    const gated = await run('gate', [f32([2, 4, 2, 4], [2, 2]), f32([0, Math.log(3)], [2, 1])], [2, 2], {
      act: 'sigmoid',
    });
    expect(gated.map((v) => Math.round(v * 1e6) / 1e6)).toEqual([1, 2, 1.5, 3]);
  });

  it('adds squares to the sums of the experts that a row belongs to', async () => {
    const [ids, sums] = [i32([2, 0, 2, 1], [2, 2]), f32([1, 1, 1, 1, 1, 1], [3, 2])];
    device.run('sumSquaresExperts', [f32([1, 2, 3, 4], [2, 2]), ids], sums, {});
    expect([...new Float32Array((await device.read(sums)).buffer)]).toEqual([2, 5, 10, 17, 11, 21]);
    const perSlot = f32([1, 2, 3, 4], [4, 1]);
    const columns = f32([0, 0, 0], [3, 1]);
    device.run('sumSquaresExperts', [perSlot, ids], columns, {});
    expect([...new Float32Array((await device.read(columns)).buffer)]).toEqual([4, 16, 10]);
  });

  it('routes equal logits to the lower expert and NaN before all', async () => {
    const ids = device.alloc('I32', [2, 3]);
    device.run('route', [f32([1, 2, 2, 1, 5, Number.NaN, 9, Number.NaN], [2, 4])], ids, { used: 3 });
    expect([...new Int32Array((await device.read(ids)).buffer)]).toEqual([1, 2, 0, 1, 3, 2]);
  });

  it('finds the largest in order, of equals the lower column, NaN last, and counts what is not finite', async () => {
    const y = device.alloc('I32', [2, 9]);
    const x = f32([1, 2, Number.NaN, 2, 0.5, -Infinity, -Infinity, Number.NaN, -0, 0], [2, 5]);
    device.run('topK', [x], y, { count: 4 });
    const words = new Int32Array((await device.read(y)).buffer);
    const values = (from: number) => [...new Float32Array(words.slice(from, from + 4).buffer)];
    expect([...words.slice(0, 4)]).toEqual([1, 3, 0, 4]);
    expect(values(4)).toEqual([2, 2, 1, 0.5]);
    expect(words[8]).toBe(1);
    expect([...words.slice(9, 13)]).toEqual([3, 4, 0, 1]);
    expect(values(13)).toEqual([-0, 0, -Infinity, -Infinity]);
    expect(words[17]).toBe(3);
  });

  it('gives the logarithm of a sum of exponentials', async () => {
    const [small, large] = await run('logSumExp', [f32([0, Math.log(3), 1000, 1000], [2, 2])], [2], {});
    expect(small).toBeCloseTo(Math.log(4), 6);
    expect(large).toBeCloseTo(1000 + Math.LN2, 4);
  });
});
