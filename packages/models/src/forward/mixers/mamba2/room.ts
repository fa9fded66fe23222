// What a Mamba-2 mixer wants and keeps; its ops are in run.ts.
import type { Tensor } from '@quern/runtime';
import { floats, type Room } from '../../room.ts';
import { runMamba2 } from './run.ts';
import { type Mamba2Spec, widthsOf } from './spec.ts';

export interface Mamba2Weights {
  readonly input: Tensor; // [inner + channels + heads, C]
  readonly convolution: Tensor; // [channels, taps]
  readonly convolutionBias?: Tensor; // [channels]
  readonly dt: Tensor; // [heads]
  readonly a: Tensor; // [heads, 1], negative
  readonly d: Tensor; // [heads, 1]
  readonly norm?: Tensor; // [groups, inner / groups]
  readonly output: Tensor; // [C, inner]
}

export interface Mamba2Scratch {
  readonly projected: Tensor; // [T, inner + channels + heads]
  readonly z: Tensor; // [T, inner]
  readonly xbc: Tensor; // [T, channels]
  readonly convolved: Tensor; // [T, channels]
  readonly dt: Tensor; // [T, heads]
  readonly dtBias: Tensor; // [T, heads]
  readonly mixed: Tensor; // [T, inner]
}

export interface Mamba2State {
  readonly convolution: Tensor; // [slots, taps − 1, channels]
  readonly memory: Tensor; // [slots, heads, headLength, stateLength]
}

export const mamba2: Room<Mamba2Spec, Mamba2Weights, Mamba2Scratch, Mamba2State> = {
  title: 'Mamba-2 mixer',
  tensors: (spec, width) => {
    const { heads, groups, taps } = spec;
    const { inner, channels, projected } = widthsOf(spec);
    return {
      input: { name: 'ssm_in.weight', shape: [projected, width] },
      convolution: { name: 'ssm_conv1d.weight', shape: [channels, taps], plain: true },
      ...(spec.convolutionBias && { convolutionBias: { name: 'ssm_conv1d.bias', shape: [channels] } }),
      dt: { name: 'ssm_dt.bias', shape: [heads] },
      a: { name: 'ssm_a', shape: [heads, 1], plain: true },
      d: { name: 'ssm_d', shape: [heads, 1], plain: true },
      ...(spec.norm && { norm: { name: 'ssm_norm.weight', shape: [groups, inner / groups], plain: true } }),
      output: { name: 'ssm_out.weight', shape: [width, inner] },
    };
  },
  scratch: (spec) => {
    const { inner, channels, projected } = widthsOf(spec);
    return {
      projected: floats(projected),
      z: floats(inner),
      xbc: floats(channels),
      convolved: floats(channels),
      dt: floats(spec.heads),
      dtBias: floats(spec.heads),
      mixed: floats(inner),
    };
  },
  state: (spec) => ({
    convolution: { kind: 'slot', shape: [spec.taps - 1, widthsOf(spec).channels] },
    memory: { kind: 'slot', shape: [spec.heads, spec.headLength, spec.stateLength] },
  }),
  run: runMamba2,
};
