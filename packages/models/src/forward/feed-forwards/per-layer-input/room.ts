// The per-layer input of a block (transformers: Gemma4TextDecoderLayer.per_layer_input_gate, per_layer_projection).
import type { Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import { perLayerInputs } from '../../per-layer-inputs.ts';
import { floats, type Room } from '../../room.ts';
import type { PerLayerInputSpec } from './spec.ts';

export interface PerLayerInputWeights {
  readonly gate: Tensor; // [W, C]
  readonly projection: Tensor; // [C, W]
}

export interface PerLayerInputScratch {
  readonly gate: Tensor; // [T, W]
  readonly input: Tensor; // [T, W]
}

export const perLayerInput: Room<PerLayerInputSpec, PerLayerInputWeights, PerLayerInputScratch> = {
  title: 'per-layer input',
  tensors: ({ width: own }, width) => ({
    gate: { name: 'inp_gate.weight', shape: [own, width] },
    projection: { name: 'proj.weight', shape: [width, own] },
  }),
  scratch: ({ width }) => ({ gate: floats(width), input: floats(width) }),
  needsTokens: true,
  run: ({ pass, spec, weights, scratch: { gate, input }, x, y }) => {
    project(pass, x, weights.gate, undefined, gate);
    pass.device.run('columns', [pass.buffer(perLayerInputs)], input, { first: spec.block * spec.width });
    pass.device.run('gatedAct', [gate, input], gate, spec.activation);
    project(pass, gate, weights.projection, undefined, y);
  },
};
