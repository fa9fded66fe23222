// The search for scales (AutoAWQ quantizer.py _search_best_scale): for each pair the ratio whose quantized weights change
// the inspected output least, in the mean square over all calibration tokens. Every pair is searched with all other
// weights as they were.
import { QuernError } from '@quern/errors';
import type { SingleBlock } from '@quern/models';
import type { Tensor } from '@quern/runtime';
import type { PairScales } from '../fold/pair-scales.ts';
import { type Grid, pseudoQuantize } from '../grid/grid.ts';
import { gramError } from '../layer/gram.ts';
import type { InputStatistics } from '../layer/input-statistics.ts';
import type { LayerPair } from '../layer/layer-pairs.ts';
import { bytesOf, floatsOf, type LayerWeights } from '../layer/layer-weights.ts';
import { ratios, scaleCandidate, weightMeans } from './scale-candidates.ts';

export interface SearchedLayer {
  readonly weights: LayerWeights;
  readonly block: SingleBlock;
  readonly grid: Grid;
  /** Of the pair's input. */
  readonly inputs: (pair: LayerPair) => readonly InputStatistics[];
  /** The one with the readers of the pair. */
  readonly subLayer: number;
  /** Residual stream that enters the sub-layer, and what that adds to it; one of each per sequence. */
  readonly sequences: readonly { states: Float32Array; output: Float32Array }[];
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
  const { weights, grid } = layer;
  const hosts = pair.layers.map((name) => weights.get(name));
  const cols = inputs.width;
  const x = inputs.means();
  const w = weightMeans(
    hosts.map(({ values }) => values),
    cols,
    grid.groupSize,
  );
  const attempt = async (scales: Float32Array | undefined): Promise<number> => {
    for (const { name, values } of hosts) weights.write(name, scaledPseudoQuantized(values, cols, scales, grid));
    return outputError(layer);
  };
  try {
    const best = await bestRatio(layer, pair, (ratio) => scaleCandidate(x, w, ratio), attempt);
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
    const attempt = async (candidate: Float32Array | undefined): Promise<number> => {
      const deltas = scaledPseudoQuantized(own, cols, candidate, grid);
      for (let i = 0; i < deltas.length; i++) deltas[i]! -= own[i]!;
      return (await gramError(weights.device, deltas, statistics.gram!)) / (statistics.rows * rows);
    };
    const best = await bestRatio(layer, pair, (ratio) => scaleCandidate(x, w, ratio), attempt);
    scales.set(best.scales, expert * cols);
    chosen.push(best.ratio);
    error += best.error;
    unscaledError += best.unscaledError;
  }
  return { scales, ratios: chosen, error, unscaledError };
}

async function bestRatio(
  { onStep }: SearchedLayer,
  { layers }: LayerPair,
  candidate: (ratio: number) => Float32Array,
  attempt: (scales: Float32Array | undefined) => Promise<number>,
): Promise<{ ratio: number; scales: Float32Array; error: number; unscaledError: number }> {
  const unscaledError = await attempt(undefined);
  let best: { ratio: number; scales: Float32Array; error: number } | undefined;
  for (const ratio of ratios) {
    await onStep?.();
    const scales = candidate(ratio);
    const error = await attempt(scales);
    if (error < (best?.error ?? Infinity)) best = { ratio, scales, error };
  }
  if (best) return { ...best, unscaledError };
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
  if (scales) for (let i = 0; i < result.length; i++) result[i]! *= scales[i % cols]!;
  pseudoQuantize(result, grid);
  if (scales) for (let i = 0; i < result.length; i++) result[i]! /= scales[i % cols]!;
  return result;
}

/** Mean over all tokens and channels of (output with the weights on the device − output kept)². */
async function outputError({ weights, block, subLayer, sequences }: SearchedLayer): Promise<number> {
  const { device } = weights;
  let total = 0;
  let elements = 0;
  for (const { states, output } of sequences) {
    const y = block.run(subLayer, states);
    total += await squaredDistance(weights, y, output);
    elements += output.length;
  }
  await device.sync();
  return total / elements;
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
