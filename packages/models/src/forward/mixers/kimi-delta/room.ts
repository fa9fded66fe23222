// What Kimi's delta attention wants and keeps; its ops are in run.ts.
import type { Tensor } from '@quern/runtime';
import { floats, type Room, type RoomTensor } from '../../room.ts';
import { runKimiDelta } from './run.ts';
import type { KimiDeltaSpec } from './spec.ts';

export interface KimiDeltaWeights {
  readonly q: Tensor; // [inner, C]
  readonly k: Tensor; // [inner, C]
  readonly v: Tensor; // [inner, C]
  readonly qConvolution: Tensor; // [1, inner, 1, taps]
  readonly kConvolution: Tensor; // [1, inner, 1, taps]
  readonly vConvolution: Tensor; // [1, inner, 1, taps]
  readonly decay: Tensor; // [inner, C]
  readonly dt: Tensor; // [inner]
  readonly a: Tensor; // [heads, 1], positive
  readonly beta: Tensor; // [heads, C]
  readonly gate: Tensor; // [inner, C]
  readonly norm: Tensor; // [headLength]
  readonly output: Tensor; // [C, inner]
}

export interface KimiDeltaScratch {
  readonly part: Tensor; // [T, inner]
  readonly convolved: Tensor; // [T, inner]
  readonly qkv: Tensor; // [T, 3·inner]
  readonly decay: Tensor; // [T, inner]
  readonly a: Tensor; // [T, heads]
  readonly beta: Tensor; // [T, heads]
  readonly mixed: Tensor; // [T, inner]
}

export interface KimiDeltaState {
  readonly qConvolution: Tensor; // [slots, taps − 1, inner]
  readonly kConvolution: Tensor; // [slots, taps − 1, inner]
  readonly vConvolution: Tensor; // [slots, taps − 1, inner]
  readonly memory: Tensor; // [slots, heads, headLength, headLength]
}

export const kimiDelta: Room<KimiDeltaSpec, KimiDeltaWeights, KimiDeltaScratch, KimiDeltaState> = {
  title: 'Kimi delta attention',
  tensors: ({ heads, headLength, taps }, width) => {
    const inner = heads * headLength;
    const wide = (name: string): RoomTensor => ({ name, shape: [inner, width] });
    const kernel = (name: string): RoomTensor => ({ name, shape: [1, inner, 1, taps], plain: true });
    return {
      q: wide('attn_q.weight'),
      k: wide('attn_k.weight'),
      v: wide('attn_v.weight'),
      qConvolution: kernel('ssm_conv1d_q.weight'),
      kConvolution: kernel('ssm_conv1d_k.weight'),
      vConvolution: kernel('ssm_conv1d_v.weight'),
      decay: wide('ssm_f_a.weight'),
      dt: { name: 'ssm_dt.bias', shape: [inner] },
      a: { name: 'ssm_a', shape: [heads, 1], plain: true },
      beta: { name: 'ssm_beta.weight', shape: [heads, width] },
      gate: wide('ssm_g_a.weight'),
      norm: { name: 'ssm_norm.weight', shape: [headLength] },
      output: { name: 'attn_output.weight', shape: [width, inner] },
    };
  },
  scratch: ({ heads, headLength }) => {
    const inner = floats(heads * headLength);
    return {
      part: inner,
      convolved: inner,
      qkv: floats(3 * heads * headLength),
      decay: inner,
      a: floats(heads),
      beta: floats(heads),
      mixed: inner,
    };
  },
  state: ({ heads, headLength, taps }) => {
    const convolution = { kind: 'slot', shape: [taps - 1, heads * headLength] } as const;
    return {
      qConvolution: convolution,
      kConvolution: convolution,
      vConvolution: convolution,
      memory: { kind: 'slot', shape: [heads, headLength, headLength] },
    };
  },
  run: runKimiDelta,
};
