// The ops of a gated delta net.
import type { Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { DeltaNetScratch, DeltaNetState, DeltaNetWeights } from './room.ts';
import type { DeltaNetSpec } from './spec.ts';

/** Of the length of q and k, whatever the norms of the model have (transformers `l2norm`). */
const LENGTH_EPS = 1e-6;

type Call = PartCall<DeltaNetSpec, DeltaNetWeights, DeltaNetScratch, DeltaNetState>;

export function runDeltaNet(call: Call): void {
  const { pass, spec, weights, scratch, state, x, y } = call;
  const { device } = pass;
  const { keyHeads, heads, sharing, keyLength, valueLength, eps } = spec;
  const { qkv, convolved, gate, decay, beta, mixed } = scratch;
  const sequences = [pass.buffer('seqs'), pass.buffer('slots')];

  project(pass, x, weights.qkv, undefined, qkv);
  device.run('causalConv', [qkv, weights.convolution, state.convolution, ...sequences], convolved, { act: 'silu' });

  if (sharing === 'turns') {
    project(pass, x, weights.alpha!, weights.dt, decay);
    project(pass, x, weights.beta!, undefined, beta);
  } else projectTogether(call);
  device.run('act', [decay], decay, { act: 'softplus' });
  device.run('multiply', [decay, device.view(weights.a, [1, heads])], decay, {});
  device.run('act', [beta], beta, { act: 'sigmoid' });

  const neighbours = sharing === 'neighbours' ? heads / keyHeads : 1;
  const rule = { kHeads: keyHeads, neighbours, scale: 1 / Math.sqrt(keyLength), normEps: LENGTH_EPS };
  device.run('gatedDeltaRule', [convolved, decay, beta, state.memory, ...sequences], mixed, rule);
  const byHead = device.view(mixed, [mixed.shape[0]! * heads, valueLength]);
  device.run('rmsNorm', [byHead, weights.norm], byHead, { eps });
  project(pass, x, weights.gate, undefined, gate);
  device.run('gatedAct', [gate, mixed], mixed, { act: 'silu' });
  project(pass, mixed, weights.output, undefined, y);
}

/** Beta and alpha of one matrix: of every key head the beta of its heads, then their alpha. */
function projectTogether({ pass, spec: { keyHeads, heads }, weights, scratch, x }: Call): void {
  const { device } = pass;
  const { decay, beta } = scratch;
  const [betaAlpha, dt] = [scratch.betaAlpha!, scratch.dt!];
  const each = heads / keyHeads;
  const byKeyHead = (tensor: Tensor, width: number) => device.view(tensor, [tensor.shape[0]! * keyHeads, width]);
  project(pass, x, weights.betaAlpha!, undefined, betaAlpha);
  device.run('columns', [byKeyHead(betaAlpha, 2 * each)], byKeyHead(beta, each), { first: 0 });
  device.run('columns', [byKeyHead(betaAlpha, 2 * each)], byKeyHead(decay, each), { first: each });
  device.run('putColumns', [device.view(weights.dt, [1, heads])], dt, { first: 0 });
  device.run('add', [decay, dt], decay, {});
}
