// The ops of a gated delta net.
import { project } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { DeltaNetScratch, DeltaNetState, DeltaNetWeights } from './room.ts';
import type { DeltaNetSpec } from './spec.ts';

/** Of the length of q and k, whatever the norms of the model have (transformers `l2norm`). */
const LENGTH_EPS = 1e-6;

export function runDeltaNet({
  pass,
  spec,
  weights,
  scratch,
  state,
  x,
  y,
}: PartCall<DeltaNetSpec, DeltaNetWeights, DeltaNetScratch, DeltaNetState>): void {
  const { device } = pass;
  const { keyHeads, heads, keyLength, valueLength, eps } = spec;
  const { qkv, convolved, gate, decay, beta, mixed } = scratch;
  const sequences = [pass.buffer('seqs'), pass.buffer('slots')];

  project(pass, x, weights.qkv, undefined, qkv);
  device.run('causalConv', [qkv, weights.convolution, state.convolution, ...sequences], convolved, { act: 'silu' });

  project(pass, x, weights.alpha, weights.dt, decay);
  device.run('act', [decay], decay, { act: 'softplus' });
  device.run('multiply', [decay, device.view(weights.a, [1, heads])], decay, {});
  project(pass, x, weights.beta, undefined, beta);
  device.run('act', [beta], beta, { act: 'sigmoid' });

  const rule = { kHeads: keyHeads, scale: 1 / Math.sqrt(keyLength), normEps: LENGTH_EPS };
  device.run('gatedDeltaRule', [convolved, decay, beta, state.memory, ...sequences], mixed, rule);
  const byHead = device.view(mixed, [mixed.shape[0]! * heads, valueLength]);
  device.run('rmsNorm', [byHead, weights.norm], byHead, { eps });
  project(pass, x, weights.gate, undefined, gate);
  device.run('gatedAct', [gate, mixed], mixed, { act: 'silu' });
  project(pass, mixed, weights.output, undefined, y);
}
