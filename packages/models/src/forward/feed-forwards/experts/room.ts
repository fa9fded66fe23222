// Routed experts in place of the MLP (transformers: MixtralSparseMoeBlock, Qwen2MoeSparseMoeBlock, Qwen3MoeSparseMoeBlock).
import type { Tensor } from '@quern/runtime';
import { type BatchPass, project, projectExperts } from '../../pass.ts';
import { floats, integers, type PartCall, type Room } from '../../room.ts';
import type { ExpertsSpec } from './spec.ts';

export interface ExpertsWeights {
  readonly router: Tensor; // [experts, C]
  readonly gate: Tensor; // [experts, F, C]
  readonly up: Tensor; // [experts, F, C]
  readonly down: Tensor; // [experts, C, F]
}

export interface ExpertsScratch {
  readonly routerLogits: Tensor; // [T, experts]
  readonly ids: Tensor; // [T, used] I32
  readonly shares: Tensor; // [T, used]
  readonly gate: Tensor; // [T·used, F]
  readonly up: Tensor; // [T·used, F]
  readonly outputs: Tensor; // [T·used, C]
}

export const experts: Room<ExpertsSpec, ExpertsWeights, ExpertsScratch> = {
  title: 'experts',
  tensors: ({ count, width: ff }, width) => ({
    router: { name: 'ffn_gate_inp.weight', shape: [count, width] },
    gate: { name: 'ffn_gate_exps.weight', shape: [count, ff, width], rows: 'ff' },
    up: { name: 'ffn_up_exps.weight', shape: [count, ff, width], rows: 'ff' },
    down: { name: 'ffn_down_exps.weight', shape: [count, width, ff], cols: 'ff' },
  }),
  scratch: ({ count, used, width: ff }, width) => ({
    routerLogits: floats(count),
    ids: integers(used),
    shares: floats(used),
    gate: floats(ff, used),
    up: floats(ff, used),
    outputs: floats(width, used),
  }),
  // Every device has the same rows of every expert, so that the choice of experts does not matter.
  divide: (spec, divider) => {
    const range = divider.width(spec.width, 'ff');
    return { spec: { ...spec, width: range[1] - range[0] }, ranges: { ff: range } };
  },
  run: mix,
};

function mix({
  pass,
  spec,
  weights,
  scratch,
  x,
  y,
}: PartCall<ExpertsSpec, ExpertsWeights, ExpertsScratch, object>): void {
  const { ids, shares, gate, up, outputs } = scratch;
  choose(pass, spec, weights.router, scratch, x);
  projectExperts(pass, x, weights.gate, ids, gate);
  projectExperts(pass, x, weights.up, ids, up);
  pass.device.run('gatedAct', [gate, up], gate, spec.activation);
  projectExperts(pass, gate, weights.down, ids, outputs);
  pass.device.run('combineExperts', [shares, outputs], y, {});
}

/** Fills `ids` and `shares`. */
function choose(
  pass: BatchPass,
  { used, router }: ExpertsSpec,
  weight: Tensor,
  { routerLogits, ids, shares }: ExpertsScratch,
  x: Tensor,
): void {
  project(pass, x, weight, undefined, routerLogits);
  pass.device.run('route', [routerLogits], ids, { used });
  pass.device.run('routeWeights', [routerLogits, ids], shares, { over: router.over });
}
