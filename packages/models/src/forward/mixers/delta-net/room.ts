// What a gated delta net wants and keeps; its ops are in run.ts.
import type { Tensor } from '@quern/runtime';
import { floats, type Room } from '../../room.ts';
import { runDeltaNet } from './run.ts';
import type { DeltaNetSpec } from './spec.ts';

export interface DeltaNetWeights {
  readonly qkv: Tensor; // [channels, C]
  readonly gate: Tensor; // [inner, C]
  readonly alpha?: Tensor; // [heads, C]
  readonly beta?: Tensor; // [heads, C]
  readonly betaAlpha?: Tensor; // [2·heads, C]
  readonly dt: Tensor; // [heads]
  readonly a: Tensor; // [heads], negative
  readonly convolution: Tensor; // [channels, taps]
  readonly norm: Tensor; // [valueLength]
  readonly output: Tensor; // [C, inner]
}

export interface DeltaNetScratch {
  readonly qkv: Tensor; // [T, channels]
  readonly convolved: Tensor; // [T, channels]
  readonly gate: Tensor; // [T, inner]
  readonly decay: Tensor; // [T, heads]
  readonly beta: Tensor; // [T, heads]
  readonly betaAlpha?: Tensor; // [T, 2·heads]
  readonly dt?: Tensor; // [T, heads]
  readonly mixed: Tensor; // [T, inner]
}

export interface DeltaNetState {
  readonly convolution: Tensor; // [slots, taps − 1, channels]
  readonly memory: Tensor; // [slots, heads, keyLength, valueLength]
}

export const deltaNet: Room<DeltaNetSpec, DeltaNetWeights, DeltaNetScratch, DeltaNetState> = {
  title: 'delta net',
  tensors: (spec, width) => {
    const { heads, valueLength, taps } = spec;
    const { channels, inner } = widthsOf(spec);
    return {
      qkv: { name: 'attn_qkv.weight', shape: [channels, width] },
      gate: { name: 'attn_gate.weight', shape: [inner, width] },
      ...(spec.sharing === 'turns'
        ? {
            alpha: { name: 'ssm_alpha.weight', shape: [heads, width] },
            beta: { name: 'ssm_beta.weight', shape: [heads, width] },
          }
        : { betaAlpha: { name: 'ssm_ba.weight', shape: [2 * heads, width] } }),
      dt: { name: 'ssm_dt.bias', shape: [heads] },
      a: { name: 'ssm_a', shape: [heads] },
      convolution: { name: 'ssm_conv1d.weight', shape: [channels, taps], plain: true },
      norm: { name: 'ssm_norm.weight', shape: [valueLength] },
      output: { name: 'ssm_out.weight', shape: [width, inner] },
    };
  },
  scratch: (spec) => {
    const { channels, inner } = widthsOf(spec);
    return {
      qkv: floats(channels),
      convolved: floats(channels),
      gate: floats(inner),
      decay: floats(spec.heads),
      beta: floats(spec.heads),
      ...(spec.sharing === 'neighbours' && { betaAlpha: floats(2 * spec.heads), dt: floats(spec.heads) }),
      mixed: floats(inner),
    };
  },
  state: (spec) => ({
    convolution: { kind: 'slot', shape: [spec.taps - 1, widthsOf(spec).channels] },
    memory: { kind: 'slot', shape: [spec.heads, spec.keyLength, spec.valueLength] },
  }),
  run: runDeltaNet,
};

const widthsOf = ({ keyHeads, heads, keyLength, valueLength }: DeltaNetSpec) => ({
  channels: 2 * keyHeads * keyLength + heads * valueLength,
  inner: heads * valueLength,
});
