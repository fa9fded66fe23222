// Routed experts in place of the MLP (transformers: MixtralSparseMoeBlock, DeepseekV3MoE, GptOssExperts, Llama4TextMoe).
import type { Tensor } from '@quern/runtime';
import { floats, integers, type Room } from '../../room.ts';
import { mix } from './run.ts';
import type { ExpertsSpec } from './spec.ts';

export interface ExpertsWeights {
  readonly router: Tensor; // [experts, C]
  readonly routerBias?: Tensor; // [experts]
  readonly choiceBias?: Tensor; // [experts] or [1, experts]
  readonly routerNorm?: Tensor; // [C]
  readonly expertScale?: Tensor; // [experts]
  readonly gate?: Tensor; // [experts, F, W], W is C or the latent width
  readonly up?: Tensor; // [experts, F, W]
  readonly gateUp?: Tensor; // [experts, 2·F, W]
  readonly down: Tensor; // [experts, W, F]
  readonly latentDown?: Tensor; // [W, C]
  readonly latentUp?: Tensor; // [C, W]
  readonly gateBias?: Tensor; // [experts, F]
  readonly upBias?: Tensor; // [experts, F]
  readonly downBias?: Tensor; // [experts, C]
}

export interface ExpertsScratch {
  readonly routerLogits: Tensor; // [T, experts]
  readonly ids: Tensor; // [T, used] I32
  readonly shares: Tensor; // [T, used]
  readonly weighed?: Tensor; // [T, C]
  readonly routerInput?: Tensor; // [T, C]
  readonly gateUp?: Tensor; // [T·used, 2·F]
  readonly gate?: Tensor; // [T·used, F]
  readonly up: Tensor; // [T·used, F]
  readonly outputs: Tensor; // [T·used, W]
  readonly latent?: Tensor; // [T, W]
  readonly combined?: Tensor; // [T, W]
}

export const experts: Room<ExpertsSpec, ExpertsWeights, ExpertsScratch> = {
  title: 'experts',
  tensors: ({ count, width: ff, gated = true, latent, biased, fused, router }, width) => ({
    router: { name: 'ffn_gate_inp.weight', shape: [count, width] },
    ...(router.biased && { routerBias: { name: 'ffn_gate_inp.bias', shape: [count] } }),
    ...(router.choiceBias && {
      choiceBias: {
        name: 'exp_probs_b.bias',
        shape: router.choiceBias === 'row' ? [1, count] : [count],
        plain: true as const,
      },
    }),
    ...(router.ownNorm && { routerNorm: { name: 'ffn_gate_inp.scale', shape: [width] } }),
    ...(router.expertScale && { expertScale: { name: 'ffn_down_exps.scale', shape: [count] } }),
    ...(fused
      ? { gateUp: { name: 'ffn_gate_up_exps.weight', shape: [count, 2 * ff, latent ?? width] } }
      : {
          ...(gated && { gate: { name: 'ffn_gate_exps.weight', shape: [count, ff, latent ?? width], rows: 'ff' } }),
          up: { name: 'ffn_up_exps.weight', shape: [count, ff, latent ?? width], rows: 'ff' },
        }),
    down: { name: 'ffn_down_exps.weight', shape: [count, latent ?? width, ff], cols: 'ff' },
    ...(latent !== undefined && {
      latentDown: { name: 'ffn_latent_down.weight', shape: [latent, width] },
      latentUp: { name: 'ffn_latent_up.weight', shape: [width, latent] },
    }),
    ...(biased && {
      gateBias: { name: 'ffn_gate_exps.bias', shape: [count, ff], cols: 'ff', plain: true as const },
      upBias: { name: 'ffn_up_exps.bias', shape: [count, ff], cols: 'ff', plain: true as const },
      downBias: { name: 'ffn_down_exps.bias', shape: [count, width], once: true as const, plain: true as const },
    }),
  }),
  scratch: ({ count, used, width: ff, gated = true, latent, fused, router }, width) => ({
    routerLogits: floats(count),
    ids: integers(used),
    shares: floats(used),
    ...(router.weighsInput && { weighed: floats(width) }),
    ...(router.ownNorm && { routerInput: floats(width) }),
    ...(fused && { gateUp: floats(2 * ff, used) }),
    ...(gated && { gate: floats(ff, used) }),
    up: floats(ff, used),
    outputs: floats(latent ?? width, used),
    ...(latent !== undefined && { latent: floats(latent), combined: floats(latent) }),
  }),
  // Every device has the same rows of every expert, so that the choice of experts does not matter.
  divide: (spec, divider) => {
    // Each device would need rows of both halves.
    if (spec.fused) divider.count(1, 'matrices of gate and up in one');
    const range = divider.width(spec.width, 'ff');
    return { spec: { ...spec, width: range[1] - range[0] }, ranges: { ff: range } };
  },
  unsupported: ({ used, latent, router }) =>
    router.weighsInput && (used > 1 || latent !== undefined)
      ? `Experts whose input is weighed are supported for one expert per token and in the full width, not for ${used}.`
      : undefined,
  run: mix,
};
