// The expert that every token uses (transformers: Qwen2MoeSparseMoeBlock.shared_expert).
import type { Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import { floats, type Room } from '../../room.ts';
import { type GatedMlpScratch, type GatedMlpWeights, gatedMlpTensors, runGatedMlp } from '../gated-mlp/room.ts';
import type { SharedExpertSpec } from './spec.ts';

export interface SharedExpertWeights extends GatedMlpWeights {
  readonly sharedGate?: Tensor; // [1, C]
}

export interface SharedExpertScratch extends GatedMlpScratch {
  readonly sharedGate?: Tensor; // [T, 1]
}

export const sharedExpert: Room<SharedExpertSpec, SharedExpertWeights, SharedExpertScratch> = {
  title: 'shared expert',
  tensors: (spec, width) => ({
    ...(spec.gated && { sharedGate: { name: 'ffn_gate_inp_shexp.weight', shape: [1, width] } }),
    ...gatedMlpTensors('_shexp', spec.width, width),
  }),
  scratch: (spec) => ({
    gate: floats(spec.width),
    up: floats(spec.width),
    ...(spec.gated && { sharedGate: floats(1) }),
  }),
  divide: (spec, divider) => {
    const range = divider.width(spec.width, 'ff');
    return { spec: { ...spec, width: range[1] - range[0] }, ranges: { ff: range } };
  },
  run: ({ pass, spec, weights, scratch, x, y }) => {
    runGatedMlp(pass, x, weights, scratch, spec.activation, y);
    const { sharedGate } = scratch;
    if (!weights.sharedGate || !sharedGate) return;
    project(pass, x, weights.sharedGate, undefined, sharedGate);
    pass.device.run('gate', [y, sharedGate], y, { act: 'sigmoid' });
  },
};
