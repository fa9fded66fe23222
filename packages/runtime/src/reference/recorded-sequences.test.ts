// Results of transformers 5.24.0 (torch 2.9.1) for ops with states and for routers. Each test says what was called; operands are
// w(count, seed) = sin(1.3 · i + seed).
import { describe, expect, it } from 'vitest';
import { device, f32, i32, read, run } from './testing/plain-calls.ts';

const w = (count: number, seed: number, spread = 1) =>
  Array.from({ length: count }, (_, i) => Math.sin(1.3 * i + seed) * spread);

function expectClose(values: readonly number[], recorded: readonly number[]): void {
  expect(values.length).toBe(recorded.length);
  for (const [i, value] of values.entries()) expect(Math.abs(value - recorded[i]!), `number ${i}`).toBeLessThan(2e-6);
}

/** Rows of several matrices of `rows` rows, side by side. */
const beside = (rows: number, ...parts: number[][]) =>
  Array.from({ length: rows }, (_, r) =>
    parts.flatMap((part) => part.slice((r * part.length) / rows, ((r + 1) * part.length) / rows)),
  ).flat();

const oneSequence = (tokens: number) => [i32(new Array(tokens).fill(0)), i32([0])];

it('gatedDeltaRule', async () => {
  // torch_recurrent_gated_delta_rule of modeling_qwen3_5, use_qk_l2norm_in_kernel=True: q, k, v = w(24, 1 | 2 | 3) as
  // [1, 3, 2, 4], g = −|w(6, 4)|, beta = sigmoid(w(6, 5))
  const qkv = f32(beside(3, w(24, 1), w(24, 2), w(24, 3)), [3, 24]);
  const decay = f32(
    w(6, 4).map((x) => -Math.abs(x)),
    [3, 2],
  );
  const beta = f32(
    w(6, 5).map((x) => 1 / (1 + Math.exp(-x))),
    [3, 2],
  );
  const state = f32(new Array(32).fill(0), [1, 2, 4, 4]);
  const params = { kHeads: 2, scale: 0.5, normEps: 1e-6 };
  const y = await run('gatedDeltaRule', [qkv, decay, beta, state, ...oneSequence(3)], [3, 8], params);
  expectClose(
    y,
    [
      0.012981679, -0.084278442, -0.058070444, 0.053210881, 0.13140664, -0.010497538, -0.13702276, -0.062809326,
      0.092234164, 0.20184655, 0.015753269, -0.19341859, -0.11390601, 0.18755811, 0.21424915, -0.072935343, -0.27501974,
      -0.24450889, 0.14420804, 0.32165986, 0.0016115922, -0.16242377, -0.088507943, 0.11507227,
    ],
  );
  expectClose(
    (await read(state)).slice(0, 16),
    [
      0.070963517, -0.17523155, -0.16471197, 0.087111026, 0.44638211, 0.31364733, -0.2785815, -0.46268779, 0.16784991,
      0.34303215, 0.015671512, -0.33464795, -0.35658282, -0.13012592, 0.28696573, 0.28365192,
    ],
  );
});

it('mamba2Scan', async () => {
  // mamba2_selective_state_update of modeling_mamba2, token by token: x = w(24, 1) as [3, 4, 2], B, C = w(24, 2 | 3) as
  // [3, 2, 4], dt = w(12, 4, 2), A = −|w(4, 5)|, D = w(4, 6), dt_softplus=True
  const xbc = f32(beside(3, w(24, 1), w(24, 2), w(24, 3)), [3, 24]);
  const state = f32(new Array(32).fill(0), [1, 4, 2, 4]);
  const heads = [
    f32(
      w(4, 5).map((x) => -Math.abs(x)),
      [4],
    ),
    f32(w(4, 6), [4]),
  ];
  const operands = [xbc, f32(w(12, 4, 2), [3, 4]), ...heads, state, ...oneSequence(3)];
  expectClose(
    await run('mamba2Scan', operands, [3, 8], { groups: 2 }),
    [
      -0.12063734, -0.1069079, -0.42879421, -0.95197862, -0.19160715, 2.1630614, 1.5885444, -1.6975949, -0.53879726,
      0.16210747, 0.91026497, 0.19755405, -0.75124246, -0.15843773, 0.64181721, 0.032389432, 0.47380197, -2.5830705,
      -1.0615466, 1.4007242, 0.77687949, -1.822661, -0.60827172, 2.8431406,
    ],
  );
  expectClose((await read(state)).slice(0, 4), [-0.25582445, -0.44661924, 0.016884185, 0.45565224]);
});

it('causalConv', async () => {
  // causal_conv1d_fn of modeling_mamba2: x = w(12, 1) as [4, 3], weight = w(12, 2) as [3, 4], bias = w(3, 3), 'silu'
  const state = f32(new Array(9).fill(0), [1, 3, 3]);
  const operands = [f32(w(12, 1), [4, 3]), f32(w(12, 2), [3, 4]), state, ...oneSequence(4), f32(w(3, 3), [3])];
  expectClose(
    await run('causalConv', operands, [4, 3], { act: 'silu' }),
    [
      -0.07923761, -0.26534283, -0.15568151, -0.13724969, -0.27500492, -0.27574661, 0.52287048, 0.19289878, 0.04747783,
      0.26067138, -0.2764639, -0.1957375,
    ],
  );
  expectClose(await read(state), w(12, 1).slice(3));
});

describe('routers choose and weigh as transformers', () => {
  // logits = w(16, 6, 2) as [2, 8], e_score_correction_bias = w(8, 7, 0.3), 3 of 8 experts, routed_scaling_factor 2.5; weights
  // by expert, since torch gives no order
  it.each([
    {
      title: 'DeepseekV3TopkRouter, n_group 4, topk_group 2',
      params: { score: 'sigmoid', groups: 4, groupsUsed: 2 },
      recorded: [
        { 1: 0.85514933, 6: 0.87821472, 7: 0.76663607 },
        { 4: 0.79826844, 3: 1.0293252, 2: 0.6724062 },
      ],
    },
    {
      title: 'DeepseekV4TopKRouter, sqrtsoftplus',
      params: { score: 'sqrt_softplus' },
      recorded: [
        { 1: 0.83640432, 6: 0.87145835, 2: 0.79213732 },
        { 3: 1.0152855, 4: 0.74729145, 7: 0.73742306 },
      ],
    },
  ] as const)('$title', async ({ params, recorded }) => {
    const logits = f32(w(16, 6, 2), [2, 8]);
    const ids = device.alloc('I32', [2, 3]);
    device.run('route', [logits, f32(w(8, 7, 0.3), [8])], ids, { used: 3, ...params });
    const weights = await run('routeWeights', [logits, ids], [2, 3], {
      over: 'chosen',
      score: params.score,
      scale: 2.5,
    });
    const chosen = new Int32Array((await device.read(ids)).buffer);
    for (const [t, of] of recorded.entries()) {
      const experts = [...chosen.subarray(3 * t, 3 * t + 3)];
      expect(new Set(experts)).toEqual(new Set(Object.keys(of).map(Number)));
      expectClose(
        experts.map((_, n) => weights[3 * t + n]!),
        experts.map((expert) => of[expert as unknown as keyof typeof of] as number),
      );
    }
  });
});
