// The ops of routed experts.
import type { Tensor } from '@quern/runtime';
import { type BatchPass, project, projectExperts } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { ExpertsScratch, ExpertsWeights } from './room.ts';
import type { ExpertsSpec } from './spec.ts';

type Call = PartCall<ExpertsSpec, ExpertsWeights, ExpertsScratch, object>;

export function mix(call: Call): void {
  const { pass, weights, scratch, x, y } = call;
  const { ids, shares, weighed, latent, combined, up, outputs } = scratch;
  choose(call);
  if (weighed) pass.device.run('multiply', [x, shares], weighed, {});
  if (latent) project(pass, x, weights.latentDown!, undefined, latent);
  computeUp(call, latent ?? weighed ?? x);
  // With one expert per token there is nothing to add up.
  projectBiased(pass, up, weights.down, weights.downBias, ids, weighed ? y : outputs);
  if (!weighed) pass.device.run('combineExperts', [shares, outputs], combined ?? y, {});
  if (combined) project(pass, combined, weights.latentUp!, undefined, y);
}

/** Fills `up` with what the down matrices read. */
function computeUp({ pass, spec, weights, scratch }: Call, x: Tensor): void {
  const { ids, gate, up, gateUp } = scratch;
  if (weights.gateUp && gateUp && gate) {
    projectExperts(pass, x, weights.gateUp, ids, gateUp);
    pass.device.run('columns', [gateUp], gate, { first: 0 });
    pass.device.run('columns', [gateUp], up, { first: spec.width });
  } else {
    if (gate) projectBiased(pass, x, weights.gate!, weights.gateBias, ids, gate);
    projectBiased(pass, x, weights.up!, weights.upBias, ids, up);
  }
  if (gate) pass.device.run('gatedAct', [gate, up], up, spec.activation);
  else pass.device.run('act', [up], up, { act: spec.activation.act });
}

/** What the router reads: what the experts do, or a norm of its own of the residual stream. */
function routerInput({ pass, spec, weights, scratch, x }: Call): Tensor {
  const { ownNorm } = spec.router;
  const own = scratch.routerInput;
  if (!ownNorm || !own) return x;
  pass.device.run('rmsNorm', [pass.buffer('residual'), weights.routerNorm!], own, { eps: ownNorm.eps });
  pass.device.run('scale', [own], own, { factor: ownNorm.scale });
  return own;
}

/** Fills `ids` and `shares`. */
function choose(call: Call): void {
  const { pass, spec, weights, scratch } = call;
  const { score, over, scale, groups } = spec.router;
  const { routerLogits: logits, ids, shares } = scratch;
  project(pass, routerInput(call), weights.router, weights.routerBias, logits);
  const { expertScale } = weights;
  const choiceBias = weights.choiceBias && pass.device.view(weights.choiceBias, [spec.count]);
  // Scores rise with the logits: where nothing is added, the largest logits are the largest scores.
  pass.device.run('route', choiceBias ? [logits, choiceBias] : [logits], ids, {
    used: spec.used,
    score: choiceBias || groups ? score : 'logits',
    ...(groups && { groups: groups.count, groupsUsed: groups.used, groupBy: groups.by }),
  });
  pass.device.run('routeWeights', expertScale ? [logits, ids, expertScale] : [logits, ids], shares, {
    over,
    score,
    scale,
  });
}

function projectBiased(
  pass: BatchPass,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  ids: Tensor,
  y: Tensor,
): void {
  projectExperts(pass, x, weight, ids, y);
  if (bias) pass.device.run('addExpertBias', [y, bias, ids], y, {});
}
