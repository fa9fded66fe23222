// One block of a llama-family network, as a sequence of ops:
//   x += attn_output · attention(rope(norm(q · n)), rope(norm(k · n)), v · n)    n = rmsNorm(x); q, k, v may be biased;
//                                                                               norm per head only where the model has it
//   x += mlp(m), or the experts of m                                            m = rmsNorm(x)
// The additions are the caller's: where several devices share a block, each gives only its part of what is added.
import type { Device, Tensor } from '@quern/runtime';
import type { LayerCache } from './buffers.ts';
import { runExperts, runSharedExpert } from './experts.ts';
import { runMlp } from './mlp.ts';
import { type BatchPass, project } from './pass.ts';
import type { BlockWeights } from './weights.ts';

/** What a block wants to be added to its residual stream. */
export interface Addend {
  readonly of: 'attention' | 'feed-forward' | 'experts' | 'shared expert';
  readonly y: Tensor; // [T, C]
}

/** Each addend must be in `pass.buffers.residual` [T, C] before the next one is asked for. */
export function* runBlock(pass: BatchPass, weights: BlockWeights, cache: LayerCache): Generator<Addend, void> {
  yield { of: 'attention', y: attend(pass, weights, cache) };
  yield* feedForward(pass, weights);
}

export function attend(pass: BatchPass, weights: BlockWeights, cache: LayerCache): Tensor {
  const { device, hyperparameters, buffers, blockTokens } = pass;
  const { headCount: heads, headCountKv: kvHeads, keyLength: headDim, slidingWindow, rmsEps: eps } = hyperparameters;
  const { residual, normed, q, k, v, attended, cos, sin, blockTable, seqs, positions } = buffers;

  device.run('rmsNorm', [residual, weights.attnNorm], normed, { eps });
  project(pass, normed, weights.q, weights.qBias, q);
  project(pass, normed, weights.k, weights.kBias, k);
  project(pass, normed, weights.v, weights.vBias, v);

  if (weights.qNorm) normalizeHeads(device, q, weights.qNorm, headDim, eps);
  if (weights.kNorm) normalizeHeads(device, k, weights.kNorm, headDim, eps);
  const rope = { headDim, rotaryDim: hyperparameters.ropeDimensionCount, style: hyperparameters.ropeStyle };
  device.run('rope', [q, cos, sin], q, { ...rope, heads });
  device.run('rope', [k, cos, sin], k, { ...rope, heads: kvHeads });

  const paging = [blockTable, seqs, positions];
  device.run('kvWrite', [k, ...paging], cache.k, { blockTokens });
  device.run('kvWrite', [v, ...paging], cache.v, { blockTokens });
  const scale = 1 / Math.sqrt(headDim);
  const window = slidingWindow === undefined ? {} : { window: slidingWindow };
  const shape = { heads, kvHeads, headDim, scale, blockTokens, ...window };
  device.run('attention', [q, cache.k, cache.v, ...paging], attended, shape);

  project(pass, attended, weights.attnOutput, weights.attnOutputBias, normed);
  return normed;
}

export function* feedForward(pass: BatchPass, weights: BlockWeights): Generator<Addend, void> {
  const { device, buffers } = pass;
  const { residual, normed, mlp, experts, sharedExpert } = buffers;
  device.run('rmsNorm', [residual, weights.ffnNorm], normed, { eps: pass.hyperparameters.rmsEps });
  if (weights.experts && experts) {
    runExperts(pass, normed, weights.experts, experts, experts.mixed);
    yield { of: 'experts', y: experts.mixed };
  }
  if (weights.sharedExpert && sharedExpert) {
    runSharedExpert(pass, normed, weights.sharedExpert, sharedExpert, sharedExpert.gated);
    yield { of: 'shared expert', y: sharedExpert.gated };
  }
  if (weights.mlp && mlp) {
    runMlp(pass, normed, weights.mlp, mlp, normed);
    yield { of: 'feed-forward', y: normed };
  }
}

/** In place: x [T, heads·headDim] seen as [T·heads, headDim]. */
function normalizeHeads(device: Device, x: Tensor, weight: Tensor, headDim: number, eps: number): void {
  const heads = device.view(x, [(x.shape[0] * x.shape[1]) / headDim, headDim]);
  device.run('rmsNorm', [heads, weight], heads, { eps });
}
