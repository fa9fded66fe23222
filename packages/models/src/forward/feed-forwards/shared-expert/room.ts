// The expert that every token uses (transformers: Qwen2MoeSparseMoeBlock.shared_expert).
import type { Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import { floats, type PartCall, type Room } from '../../room.ts';
import { type GatedMlpScratch, type GatedMlpWeights, gatedMlpTensors, runGatedMlp } from '../gated-mlp/room.ts';
import type { SharedExpertSpec } from './spec.ts';

export interface SharedExpertWeights extends Omit<GatedMlpWeights, 'gate'> {
  readonly gate?: Tensor; // [F, C]
  readonly sharedGate?: Tensor; // [1, C]
}

export interface SharedExpertScratch extends Omit<GatedMlpScratch, 'gate'> {
  readonly gate?: Tensor; // [T, F]
  readonly sharedGate?: Tensor; // [T, 1]
}

export const sharedExpert: Room<SharedExpertSpec, SharedExpertWeights, SharedExpertScratch> = {
  title: 'shared expert',
  tensors: (spec, width) => ({
    ...(spec.gated && { sharedGate: { name: 'ffn_gate_inp_shexp.weight', shape: [1, width] } }),
    ...mlpTensors(spec, width),
  }),
  scratch: (spec) => ({
    ...(!spec.plain && { gate: floats(spec.width) }),
    up: floats(spec.width),
    ...(spec.gated && { sharedGate: floats(1) }),
  }),
  divide: (spec, divider) => {
    const range = divider.width(spec.width, 'ff');
    return { spec: { ...spec, width: range[1] - range[0] }, ranges: { ff: range } };
  },
  run: (call) => {
    const { pass, spec, weights, scratch, x, y } = call;
    runMlp(call);
    if (spec.scale !== undefined) pass.device.run('scale', [y], y, { factor: spec.scale });
    const { sharedGate } = scratch;
    if (!weights.sharedGate || !sharedGate) return;
    project(pass, x, weights.sharedGate, undefined, sharedGate);
    pass.device.run('gate', [y, sharedGate], y, { act: 'sigmoid' });
  },
};

function mlpTensors({ plain, width: ff }: SharedExpertSpec, width: number) {
  const { gate, ...others } = gatedMlpTensors('_shexp', ff, width);
  return { ...(!plain && { gate }), ...others };
}

function runMlp({
  pass,
  spec,
  weights,
  scratch,
  x,
  y,
}: PartCall<SharedExpertSpec, SharedExpertWeights, SharedExpertScratch, object>): void {
  const { gate, up } = scratch;
  if (gate && weights.gate) {
    runGatedMlp(pass, x, { ...weights, gate: weights.gate }, { gate, up }, spec.activation, y);
    return;
  }
  project(pass, x, weights.up, undefined, up);
  pass.device.run('act', [up], up, { act: spec.activation.act });
  project(pass, up, weights.down, undefined, y);
}
