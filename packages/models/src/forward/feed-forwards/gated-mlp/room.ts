// The gated MLP of a dense block.
import type { Tensor } from '@quern/runtime';
import { type BatchPass, project } from '../../pass.ts';
import { floats, type Room } from '../../room.ts';
import type { Activation, GatedMlpSpec } from './spec.ts';

export interface GatedMlpWeights {
  readonly gate: Tensor; // [F, C]
  readonly up: Tensor; // [F, C]
  readonly down: Tensor; // [C, F]
}

export interface GatedMlpScratch {
  readonly gate: Tensor; // [T, F]
  readonly up: Tensor; // [T, F]
}

export const gatedMlp: Room<GatedMlpSpec, GatedMlpWeights, GatedMlpScratch> = {
  title: 'feed-forward',
  tensors: (spec, width) => gatedMlpTensors('', spec.width, width),
  scratch: (spec) => ({ gate: floats(spec.width), up: floats(spec.width) }),
  divide: (spec, divider) => {
    const range = divider.width(spec.width, 'ff');
    return { spec: { ...spec, width: range[1] - range[0] }, ranges: { ff: range } };
  },
  run: ({ pass, spec, weights, scratch, x, y }) => runGatedMlp(pass, x, weights, scratch, spec.activation, y),
};

/** @param suffix of the names: `_shexp` for an expert that every token uses */
export const gatedMlpTensors = (suffix: string, ff: number, width: number) =>
  ({
    gate: { name: `ffn_gate${suffix}.weight`, shape: [ff, width], rows: 'ff' },
    up: { name: `ffn_up${suffix}.weight`, shape: [ff, width], rows: 'ff' },
    down: { name: `ffn_down${suffix}.weight`, shape: [width, ff], cols: 'ff' },
  }) as const;

/** y [T, C] of x [T, C]; gate and up by rows, down by the same columns, where devices share it. */
export function runGatedMlp(
  pass: BatchPass,
  x: Tensor,
  weights: GatedMlpWeights,
  { gate, up }: GatedMlpScratch,
  activation: Activation,
  y: Tensor,
): void {
  project(pass, x, weights.gate, undefined, gate);
  project(pass, x, weights.up, undefined, up);
  pass.device.run('gatedAct', [gate, up], gate, activation);
  project(pass, gate, weights.down, undefined, y);
}
