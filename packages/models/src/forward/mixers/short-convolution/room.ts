// The mixer of LFM2: a convolution over a few tokens between two gates.
import type { Tensor } from '@quern/runtime';
import { project } from '../../pass.ts';
import { floats, type PartCall, type Room } from '../../room.ts';
import type { ShortConvolutionSpec } from './spec.ts';

export interface ShortConvolutionWeights {
  readonly input: Tensor; // [3·C, C]
  readonly convolution: Tensor; // [C, taps]
  readonly output: Tensor; // [C, C]
}

export interface ShortConvolutionScratch {
  readonly projected: Tensor; // [T, 3·C]
  readonly before: Tensor; // [T, C]
  readonly after: Tensor; // [T, C]
  readonly x: Tensor; // [T, C]
  readonly convolved: Tensor; // [T, C]
}

export interface ShortConvolutionState {
  readonly convolution: Tensor; // [slots, taps − 1, C]
}

export const shortConvolution: Room<
  ShortConvolutionSpec,
  ShortConvolutionWeights,
  ShortConvolutionScratch,
  ShortConvolutionState
> = {
  title: 'short convolution',
  tensors: ({ taps }, width) => ({
    input: { name: 'shortconv.in_proj.weight', shape: [3 * width, width] },
    convolution: { name: 'shortconv.conv.weight', shape: [width, taps], plain: true },
    output: { name: 'shortconv.out_proj.weight', shape: [width, width] },
  }),
  scratch: (_spec, width) => ({
    projected: floats(3 * width),
    before: floats(width),
    after: floats(width),
    x: floats(width),
    convolved: floats(width),
  }),
  state: ({ taps, width }) => ({ convolution: { kind: 'slot', shape: [taps - 1, width] } }),
  run: convolve,
};

function convolve({
  pass,
  weights,
  scratch,
  state,
  x: input,
  y,
}: PartCall<ShortConvolutionSpec, ShortConvolutionWeights, ShortConvolutionScratch, ShortConvolutionState>): void {
  const { device } = pass;
  const { projected, before, after, x, convolved } = scratch;
  const width = x.shape[1]!;
  project(pass, input, weights.input, undefined, projected);
  for (const [i, part] of [before, after, x].entries()) device.run('columns', [projected], part, { first: i * width });
  device.run('multiply', [x, before], x, {});
  const sequences = [pass.buffer('seqs'), pass.buffer('slots')];
  device.run('causalConv', [x, weights.convolution, state.convolution, ...sequences], convolved, {});
  device.run('multiply', [convolved, after], convolved, {});
  project(pass, convolved, weights.output, undefined, y);
}
