// Results of torch 2.9.1 and transformers 5.24.0. Each test says what was called; to record again, call it with these numbers.
import { describe, expect, it } from 'vitest';
import { f32, i32, run } from './testing/plain-calls.ts';

/** Single precision on both sides. */
function expectClose(values: readonly number[], recorded: readonly number[]): void {
  expect(values.length).toBe(recorded.length);
  for (const [i, value] of values.entries())
    expect(Math.abs(value - recorded[i]!), `number ${i}: ${value}`).toBeLessThan(
      1e-6 * Math.max(1, Math.abs(recorded[i]!)),
    );
}

const x = [-6, -3.5, -1, -0.1, 0, 0.1, 1, 3.6, 6];

describe('activations', () => {
  // torch.nn.functional on float64: gelu(x), gelu(x, approximate='tanh'), softplus, silu, relu ** 2
  it.each([
    ['gelu_erf', [-5.9195259e-9, -0.00081420178, -0.15865525, -0.046017216, 0, 0.053982784, 0.84134475, 3.5994272, 6]],
    ['gelu', [-8.439649e-11, -0.00061619766, -0.15880801, -0.046017249, 0, 0.053982751, 0.84119199, 3.5995874, 6]],
    [
      'softplus',
      [0.0024756851, 0.029750418, 0.31326169, 0.64439666, Math.LN2, 0.74439666, 1.3132617, 3.6269571, 6.0024757],
    ],
    ['silu', [-0.014835739, -0.10259281, -0.26894142, -0.047502081, 0, 0.052497919, 0.73105858, 3.5042508, 5.9851643]],
    ['relu2', [0, 0, 0, 0, 0, 0.01, 1, 12.96, 36]],
  ] as const)('%s', async (act, recorded) => {
    const y = await run('act', [f32(x)], [1, x.length], { act });
    expectClose(y, recorded);
    for (const [i, value] of recorded.entries()) if (value !== 0) expect(y[i]! / value).toBeCloseTo(1, 6); // tails too
  });

  it('xIELU', async () => {
    // XIELUActivation(alpha_p_init=0.8, alpha_n_init=1.8, beta=0.5, eps=-1e-6, dtype=float64) of transformers.activations
    const y = await run('xielu', [f32(x)], [1, x.length], { alphaP: 0.8, alphaN: 1.8, beta: 0.5, eps: -1e-6 });
    expectClose(y, [6.0044618, 2.8043553, 0.16218299, -0.041292648, -1.7999991e-6, 0.058, 1.3, 12.168, 31.8]);
  });

  it('the clamped gate of gpt-oss', async () => {
    // GptOssExperts._apply_gate with alpha 1.702, limit 7
    const operands = [f32([-8, -1, 0.5, 9]), f32([-9, 2, 0.5, 8])];
    const y = await run('gatedAct', operands, [1, 4], { act: 'silu', limit: 7, alpha: 1.702, offset: 1 });
    expectClose(y, [5.8598569e-5, -0.46261269, 0.52558267, 55.999626]);
  });
});

it('layerNorm', async () => {
  // torch.nn.functional.layer_norm(x, [4], weight, bias, 1e-5)
  const operands = [f32([1, 2, 4, 9]), f32([1, 2, 3, 4], [4]), f32([0.5, 0, 0, -0.5], [4])];
  expectClose(await run('layerNorm', operands, [1, 4], { eps: 1e-5 }), [-0.47332805, -1.2977707, 0, 5.9888535]);
});

describe('attention', () => {
  // eager_attention_forward of modeling_gpt_oss (sinks) and of modeling_gemma2 (softcap); two heads share keys, scale 0.5
  const q = f32([1, 0, 0, 0, 0, 1, 0, 0], [1, 8]);
  const keys = f32([1, 2, 0, 0, 0, 1, 0, 0, -1, 0.5, 0, 0, 0, 0, 0, 0], [4, 4]);
  const values = f32([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0], [4, 4]);
  const paging = [i32([0], [1, 1]), i32([0]), i32([2])];
  const params = { heads: 2, kvHeads: 1, headDim: 4, scale: 0.5, blockTokens: 4 };

  it('sinks', async () => {
    const y = await run('attention', [q, keys, values, ...paging, f32([0.3, -1], [2])], [1, 8], params);
    expectClose(y, [2.6291437, 3.3360214, 4.0428996, 4.7497778, 3.7412295, 4.680109, 5.6189885, 6.557868]);
  });

  it('soft cap', async () => {
    const y = await run('attention', [q, keys, values, ...paging], [1, 8], { ...params, softCap: 0.7 });
    expectClose(y, [3.8888941, 4.8888941, 5.8888941, 6.8888941, 4.490592, 5.490592, 6.490592, 7.4905915]);
  });

  it('looks both ways within a window and a chunk', async () => {
    // Equal scores: the mean of the values at positions 0 … 3 that a token sees.
    const ramp = f32([1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8], [4, 4]);
    const zeros = f32(new Array(16).fill(0), [4, 4]);
    const all = [i32([0], [1, 1]), i32([0, 0, 0, 0]), i32([0, 1, 2, 3])];
    const means = async (change: { window?: number; chunk?: number; causal?: boolean }) =>
      (await run('attention', [zeros, zeros, ramp, ...all], [4, 4], { ...params, heads: 1, ...change })).filter(
        (_, i) => i % 4 === 0,
      );
    expect(await means({ causal: false })).toEqual([3.75, 3.75, 3.75, 3.75]);
    expectClose(await means({ causal: false, window: 2 }), [1.5, 7 / 3, 14 / 3, 6]);
    expect(await means({ chunk: 2 })).toEqual([1, 1.5, 4, 6]);
    expect(await means({ chunk: 2, causal: false })).toEqual([1.5, 1.5, 6, 6]);
  });
});
