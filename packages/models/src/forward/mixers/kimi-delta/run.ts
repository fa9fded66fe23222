// The ops of Kimi's delta attention.
import type { Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { KimiDeltaScratch, KimiDeltaState, KimiDeltaWeights } from './room.ts';
import type { KimiDeltaSpec } from './spec.ts';

/** Of the length of q and k, whatever the norms of the model have (transformers `l2norm`). */
const LENGTH_EPS = 1e-6;

type Call = PartCall<KimiDeltaSpec, KimiDeltaWeights, KimiDeltaScratch, KimiDeltaState>;

export function runKimiDelta(call: Call): void {
  const { pass, spec, weights, scratch, state, x, y } = call;
  const { device } = pass;
  const { heads, headLength, eps } = spec;
  const { qkv, decay, beta, mixed, part } = scratch;

  convolve(call, 0, weights.q, weights.qConvolution, state.qConvolution);
  convolve(call, 1, weights.k, weights.kConvolution, state.kConvolution);
  convolve(call, 2, weights.v, weights.vConvolution, state.vConvolution);
  forget(call);
  project(pass, x, weights.beta, undefined, beta);
  device.run('act', [beta], beta, { act: 'sigmoid' });

  const rule = { kHeads: heads, scale: 1 / Math.sqrt(headLength), normEps: LENGTH_EPS };
  const sequences = [pass.buffer('seqs'), pass.buffer('slots')];
  device.run('gatedDeltaRule', [qkv, decay, beta, state.memory, ...sequences], mixed, rule);
  const byHead = device.view(mixed, [mixed.shape[0]! * heads, headLength]);
  device.run('rmsNorm', [byHead, weights.norm], byHead, { eps });
  project(pass, x, weights.gate, undefined, part);
  device.run('gatedAct', [part, mixed], mixed, { act: 'sigmoid' });
  project(pass, mixed, weights.output, undefined, y);
}

/** One of q, k and v, into its columns of all three. */
function convolve(call: Call, index: number, weight: Tensor, kernel: Tensor, state: Tensor): void {
  const { pass, spec, scratch, x } = call;
  const { device } = pass;
  const { part, convolved, qkv } = scratch;
  const inner = spec.heads * spec.headLength;
  project(pass, x, weight, undefined, part);
  const taps = device.view(kernel, [inner, spec.taps]);
  const sequences = [pass.buffer('seqs'), pass.buffer('slots')];
  device.run('causalConv', [part, taps, state, ...sequences], convolved, { act: 'silu' });
  device.run('putColumns', [convolved], qkv, { first: index * inner });
}

/** The logarithms of what every channel keeps, into `scratch.decay`. */
function forget({ pass, spec: { heads, headLength, lowerBound }, weights, scratch, x }: Call): void {
  const { device } = pass;
  const { decay, a } = scratch;
  project(pass, x, weights.decay, weights.dt, decay);
  device.run('putColumns', [device.view(weights.a, [1, heads])], a, { first: 0 });
  const rows = decay.shape[0]! * heads;
  const byHead = device.view(decay, [rows, headLength]);
  const timesA = () => device.run('multiply', [byHead, device.view(a, [rows, 1])], byHead, {});
  if (lowerBound === undefined) {
    device.run('act', [decay], decay, { act: 'softplus' });
    timesA();
    device.run('scale', [decay], decay, { factor: -1 });
  } else {
    timesA();
    device.run('act', [decay], decay, { act: 'sigmoid' });
    device.run('scale', [decay], decay, { factor: lowerBound });
  }
}
