// The gated MLP of a dense block.
import type { Tensor } from '@quern/runtime';
import { type BatchPass, project } from '../../pass.ts';
import { floats, type Room } from '../../room.ts';
import type { Activation, GatedMlpSpec } from './spec.ts';

export interface GatedMlpWeights {
  readonly gate?: Tensor; // [F, C]; undefined: the first half of up
  readonly up: Tensor; // [F, C], or [2F, C]
  readonly down: Tensor; // [C, F]
}

export interface GatedMlpScratch {
  readonly gate: Tensor; // [T, F]
  readonly up: Tensor; // [T, F]
  readonly both?: Tensor; // [T, 2F]
}

export const gatedMlp: Room<GatedMlpSpec, GatedMlpWeights, GatedMlpScratch> = {
  title: 'feed-forward',
  tensors: (spec, width) => (spec.fused ? fusedTensors(spec.width, width) : gatedMlpTensors('', spec.width, width)),
  scratch: ({ width, fused }) => ({
    ...{ gate: floats(width), up: floats(width) },
    ...(fused && { both: floats(2 * width) }),
  }),
  divide: (spec, divider) => {
    // A device's share of gate and of up is no range of rows there.
    if (spec.fused) divider.count(1, 'matrix of gate and up together');
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

const fusedTensors = (ff: number, width: number) => ({
  up: { name: 'ffn_up.weight', shape: [2 * ff, width] },
  down: { name: 'ffn_down.weight', shape: [width, ff], cols: 'ff' },
});

/** y [T, C] of x [T, C]; gate and up by rows, down by the same columns, where devices share it. */
export function runGatedMlp(
  pass: BatchPass,
  x: Tensor,
  weights: GatedMlpWeights,
  { gate, up, both }: GatedMlpScratch,
  activation: Activation,
  y: Tensor,
): void {
  if (weights.gate) {
    project(pass, x, weights.gate, undefined, gate);
    project(pass, x, weights.up, undefined, up);
  } else {
    project(pass, x, weights.up, undefined, both!);
    pass.device.run('columns', [both!], gate, { first: 0 });
    pass.device.run('columns', [both!], up, { first: gate.shape[1]! });
  }
  pass.device.run('gatedAct', [gate, up], gate, activation);
  project(pass, gate, weights.down, undefined, y);
}
