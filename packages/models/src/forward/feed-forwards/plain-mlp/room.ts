// The MLP without a gate (GPT-2, StarCoder2, Phi-2, Nemotron).
import type { Device, Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import { floats, type Room } from '../../room.ts';
import type { PlainMlpSpec } from './spec.ts';

export interface PlainMlpWeights {
  readonly up: Tensor; // [F, C]
  readonly upBias?: Tensor;
  readonly downBias?: Tensor;
  readonly down: Tensor; // [C, F]
}

export interface PlainMlpScratch {
  readonly up: Tensor; // [T, F]
}

export const plainMlp: Room<PlainMlpSpec, PlainMlpWeights, PlainMlpScratch> = {
  title: 'feed-forward',
  tensors: ({ width: ff, biased }, width) => ({
    up: { name: 'ffn_up.weight', shape: [ff, width], rows: 'ff' },
    ...(biased && {
      upBias: { name: 'ffn_up.bias', shape: [ff], cols: 'ff' },
      downBias: { name: 'ffn_down.bias', shape: [width], once: true },
    }),
    down: { name: 'ffn_down.weight', shape: [width, ff], cols: 'ff' },
  }),
  scratch: ({ width }) => ({ up: floats(width) }),
  divide: (spec, divider) => {
    const range = divider.width(spec.width, 'ff');
    return { spec: { ...spec, width: range[1] - range[0] }, ranges: { ff: range } };
  },
  run: ({ pass, spec, weights, scratch: { up }, x, y }) => {
    project(pass, x, weights.up, weights.upBias, up);
    activate(pass.device, up, spec.activation);
    project(pass, up, weights.down, weights.downBias, y);
  },
};

function activate(device: Device, x: Tensor, activation: PlainMlpSpec['activation']): void {
  if (activation.act === 'xielu') device.run('xielu', [x], x, activation.numbers);
  else device.run('act', [x], x, activation);
}
