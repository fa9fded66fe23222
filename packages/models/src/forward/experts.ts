// A mixture of experts in place of the MLP. A router picks a few experts for each token; each is a gated MLP, and their
// results are added by the router's weights:
//   mixed = Σₙ weight[n] · mlp[id[n]](x)         id, weight = the largest of softmax(router · x)
// Some models have one more MLP that every token uses, weighed by a gate of its own:
//   shared = sigmoid(sharedGate · x) · sharedMlp(x)
// (transformers: MixtralSparseMoeBlock, Qwen2MoeSparseMoeBlock, Qwen3MoeSparseMoeBlock)
import type { Tensor } from '@quern/runtime';
import type { ExpertBuffers, SharedExpertBuffers } from './buffers.ts';
import { runMlp } from './mlp.ts';
import { type BatchPass, project, projectExperts } from './pass.ts';
import type { ExpertWeights, SharedExpertWeights } from './weights.ts';

/** y [T, C] = mixed, of x [T, C]. */
export function runExperts(
  pass: BatchPass,
  x: Tensor,
  weights: ExpertWeights,
  buffers: ExpertBuffers,
  y: Tensor,
): void {
  const { device, hyperparameters } = pass;
  const { used, weightsOver } = hyperparameters.experts!;
  const { routerLogits, ids, weights: shares, gate, up, outputs } = buffers;
  project(pass, x, weights.router, undefined, routerLogits);
  device.run('route', [routerLogits], ids, { used });
  device.run('routeWeights', [routerLogits, ids], shares, { over: weightsOver });
  projectExperts(pass, x, weights.gate, ids, gate);
  projectExperts(pass, x, weights.up, ids, up);
  device.run('gatedAct', [gate, up], gate, { act: 'silu' });
  projectExperts(pass, gate, weights.down, ids, outputs);
  device.run('combineExperts', [shares, outputs], y, {});
}

/** y [T, C] = shared, of x [T, C]. */
export function runSharedExpert(
  pass: BatchPass,
  x: Tensor,
  weights: SharedExpertWeights,
  buffers: SharedExpertBuffers,
  y: Tensor,
): void {
  const { device } = pass;
  const { sharedGate } = buffers;
  runMlp(pass, x, weights, buffers, y);
  project(pass, x, weights.sharedGate, undefined, sharedGate);
  device.run('gateRows', [y, device.view(sharedGate, [sharedGate.shape[0]!])], y, {});
}
