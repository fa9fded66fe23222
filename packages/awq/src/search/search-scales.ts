// The search for scales (AutoAWQ quantizer.py _search_best_scale): for each pair the ratio whose quantized weights change
// the inspected output least, in the mean square over calibration tokens. Every pair is searched with all other
// weights as they were. AutoAWQ measures all ratios on all tokens; here bad ones are left early (best-ratio.ts).
import { QuernError } from '@quern/errors';
import type { SingleBlock } from '@quern/models';
import type { Tensor } from '@quern/runtime';
import type { PairScales } from '../fold/pair-scales.ts';
import { type Grid, pseudoQuantize } from '../grid/grid.ts';
import { gramError } from '../layer/gram.ts';
import type { InputStatistics } from '../layer/input-statistics.ts';
import type { LayerPair } from '../layer/layer-pairs.ts';
import { bytesOf, floatsOf, type LayerWeights } from '../layer/layer-weights.ts';
import { type BestRatio, bestRatio, type Trial } from './best-ratio.ts';
import { scaleCandidate, weightMeans } from './scale-candidates.ts';

export interface SearchedSequence {
  readonly states: Float32Array;
  readonly output: Float32Array;
}

export interface SearchedLayer {
  readonly weights: LayerWeights;
  readonly block: SingleBlock;
  readonly grid: Grid;
  /** Of the pair's input. */
  readonly inputs: (pair: LayerPair) => readonly InputStatistics[];
  /** The one with the readers of the pair. */
  readonly subLayer: number;
  /** Sequences by part (sequence-parts.ts): the residual stream that enters the sub-layer, and what that adds to it. */
  readonly parts: readonly (readonly SearchedSequence[])[];
  /** Called between two candidates: the place for an abort. */
  readonly onStep?: () => Promise<void>;
}

export async function searchScales(layer: SearchedLayer, pair: LayerPair): Promise<PairScales> {
  const { prev, layers, followers } = pair;
  const inputs = layer.inputs(pair);
  const found =
    pair.inspect === 'layer'
      ? await searchEachExpert(layer, pair, inputs)
      : await searchTogether(layer, pair, inputs[0]!);
  return { prev, layers, followers, ...found };
}

type Found = Pick<PairScales, 'scales' | 'ratios' | 'error' | 'unscaledError'>;

/** One vector for all weights of the pair. */
async function searchTogether(layer: SearchedLayer, pair: LayerPair, inputs: InputStatistics): Promise<Found> {
  const { weights, grid, parts } = layer;
  const hosts = pair.layers.map((name) => weights.get(name));
  const cols = inputs.width;
  const x = inputs.means();
  const w = weightMeans(
    hosts.map(({ values }) => values),
    cols,
    grid.groupSize,
  );
  const measure: Trial['measure'] = (scales, from, to) => {
    for (const { name, values } of hosts) weights.write(name, scaledPseudoQuantized(values, cols, scales, grid));
    return outputError(layer, parts.slice(from, to).flat());
  };
  const candidate = (ratio: number) => scaleCandidate(x, w, ratio);
  const count = parts.flat().reduce((sum, { output }) => sum + output.length, 0);
  try {
    const best = await searched(layer, pair, { parts: parts.length, candidate, measure }, count);
    return { ...best, ratios: [best.ratio] };
  } finally {
    for (const { name } of hosts) weights.restore(name);
  }
}

/** The pair has one reader, whose error the Gram matrix of its input tells; of a stack every expert by itself. */
async function searchEachExpert(
  layer: SearchedLayer,
  pair: LayerPair,
  inputs: readonly InputStatistics[],
): Promise<Found> {
  const { weights, grid } = layer;
  const { rows, cols, values } = weights.get(pair.layers[0]!);
  const scales = new Float32Array(inputs.length * cols).fill(1);
  const chosen: (number | undefined)[] = [];
  let error = 0;
  let unscaledError = 0;
  for (const [expert, statistics] of inputs.entries()) {
    if (statistics.rows === 0) {
      chosen.push(undefined);
      continue;
    }
    const own = values.subarray(expert * rows * cols, (expert + 1) * rows * cols);
    const x = statistics.means();
    const w = weightMeans([own], cols, grid.groupSize);
    const measure: Trial['measure'] = (candidate) => {
      const deltas = scaledPseudoQuantized(own, cols, candidate, grid);
      for (let i = 0; i < deltas.length; i++) deltas[i]! -= own[i]!;
      return gramError(weights.device, deltas, statistics.gram!);
    };
    const candidate = (ratio: number) => scaleCandidate(x, w, ratio);
    const best = await searched(layer, pair, { parts: 1, candidate, measure }, statistics.rows * rows);
    scales.set(best.scales, expert * cols);
    chosen.push(best.ratio);
    error += best.error;
    unscaledError += best.unscaledError;
  }
  return { scales, ratios: chosen, error, unscaledError };
}

/** @returns errors as means over `count` numbers */
async function searched(
  { onStep }: SearchedLayer,
  { layers }: LayerPair,
  trial: Trial,
  count: number,
): Promise<BestRatio> {
  const best = await bestRatio({ ...trial, onStep });
  if (best) return { ...best, error: best.error / count, unscaledError: best.unscaledError / count };
  throw new QuernError('quantize-non-finite', 'No scale gives an error that is a number.', {
    tensor: layers[0]!,
    remedy: 'The layer overflows on the calibration text: check that the checkpoint runs on it.',
  });
}

/** Q(W · s) / s, rounded to f32 step by step. */
function scaledPseudoQuantized(
  values: Float32Array,
  cols: number,
  scales: Float32Array | undefined,
  grid: Grid,
): Float32Array {
  const result = values.slice();
  if (!scales) {
    pseudoQuantize(result, grid);
    return result;
  }
  for (let from = 0; from < result.length; from += cols) for (let c = 0; c < cols; c++) result[from + c]! *= scales[c]!;
  pseudoQuantize(result, grid);
  for (let from = 0; from < result.length; from += cols) for (let c = 0; c < cols; c++) result[from + c]! /= scales[c]!;
  return result;
}

/** Sum over tokens and channels of (output with the weights on the device − output kept)². */
async function outputError(
  { weights, block, subLayer }: SearchedLayer,
  sequences: readonly SearchedSequence[],
): Promise<number> {
  let total = 0;
  for (const { states, output } of sequences)
    total += await squaredDistance(weights, block.run(subLayer, states), output);
  return total;
}

/** Overwrites `y`. */
async function squaredDistance({ device }: LayerWeights, y: Tensor, kept: Float32Array): Promise<number> {
  const negated = device.alloc('F32', y.shape, 'outputs kept');
  const sums = device.alloc('F32', [y.shape[1]!], 'squares');
  try {
    device.write(negated, bytesOf(kept));
    device.run('scale', [negated], negated, { factor: -1 });
    device.run('add', [y, negated], y, {});
    device.run('sumSquares', [y], sums, {});
    let total = 0;
    for (const sum of floatsOf(await device.read(sums))) total += sum;
    return total;
  } finally {
    device.free(negated);
    device.free(sums);
  }
}
