// The ops of a Mamba-2 mixer.
import { project } from '../../pass.ts';
import type { PartCall } from '../../room.ts';
import type { Mamba2Scratch, Mamba2State, Mamba2Weights } from './room.ts';
import { type Mamba2Spec, widthsOf } from './spec.ts';

export function runMamba2({
  pass,
  spec,
  weights,
  scratch,
  state,
  x,
  y,
}: PartCall<Mamba2Spec, Mamba2Weights, Mamba2Scratch, Mamba2State>): void {
  const { device } = pass;
  const { heads, groups, norm } = spec;
  const { inner, channels } = widthsOf(spec);
  const { projected, z, xbc, convolved, dt, dtBias, mixed } = scratch;
  const sequences = [pass.buffer('seqs'), pass.buffer('slots')];

  project(pass, x, weights.input, undefined, projected);
  device.run('columns', [projected], z, { first: 0 });
  device.run('columns', [projected], xbc, { first: inner });
  device.run('columns', [projected], dt, { first: inner + channels });

  const bias = weights.convolutionBias ? [weights.convolutionBias] : [];
  const convolution = [xbc, weights.convolution, state.convolution, ...sequences, ...bias];
  device.run('causalConv', convolution, convolved, { act: 'silu' });

  device.run('putColumns', [device.view(weights.dt, [1, heads])], dtBias, { first: 0 });
  device.run('add', [dt, dtBias], dt, {});
  const [a, d] = [weights.a, weights.d].map((tensor) => device.view(tensor, [heads]));
  device.run('mamba2Scan', [convolved, dt, a!, d!, state.memory, ...sequences], mixed, { groups });

  device.run('gatedAct', [z, mixed], mixed, { act: 'silu' });
  if (norm && weights.norm)
    device.run('rmsNorm', [mixed, device.view(weights.norm, [inner])], mixed, { eps: norm.eps, groups });
  project(pass, mixed, weights.output, undefined, y);
}
