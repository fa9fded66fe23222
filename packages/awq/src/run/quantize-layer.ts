// One block by rounding or by AWQ: observe, scale, clip, round. (GPTQ: gptq-layer.ts.)
import type { GroupedRows } from '@quern/packed';
import { type PairScales, scaleRows, scalingsOf, type TensorScaling } from '../fold/pair-scales.ts';
import type { Grid } from '../grid/grid.ts';
import { quantizeMatrix } from '../grid/quantized-matrix.ts';
import type { InputStatistics } from '../layer/input-statistics.ts';
import { type LayerPair, layerPairs, type QuantizedWeight, quantizedWeights } from '../layer/layer-pairs.ts';
import { type HostWeight, readFloats } from '../layer/layer-weights.ts';
import { addTo, type ObservedLayer, observeLayer } from '../layer/observe-layer.ts';
import { addendOf, addInto, openLayer, tokensOf } from '../layer/open-layer.ts';
import { applyClip, searchClip } from '../search/search-clip.ts';
import { searchScales } from '../search/search-scales.ts';
import { sequenceParts } from '../search/sequence-parts.ts';
import { gptqLayer } from './gptq-layer.ts';
import { type LayerResult, type LayerTask, type Method, starvedExperts } from './layer-task.ts';

/** @param states residual stream that enters the block; afterwards the one that leaves it. Empty for `rtn`. */
export async function quantizeLayer(task: LayerTask, states: Float32Array[]): Promise<LayerResult> {
  const { view, device, block, method } = task;
  const weights = quantizedWeights(view, block);
  if (method.name === 'rtn') {
    const quantized = new Map<string, GroupedRows[]>();
    for (const weight of weights) {
      const values = await readFloats(view.tensors.get(weight.name)!);
      quantized.set(weight.name, roundEach(values, weight, task.grid));
      await task.onStep?.();
    }
    return { block, quantized, changed: new Map(), pairs: [], clips: [], starved: [] };
  }
  if (method.name === 'gptq') return gptqLayer(task, method, states);
  const pairs = layerPairs(view, block);
  const inputs = wantedInputs(weights, pairs, method);
  const layer = await observeLayer(view, device, block, states, { inputs, onStep: task.onStep });
  try {
    return await quantizeObserved(task, layer, states, weights, pairs);
  } finally {
    layer.dispose();
  }
}

/**
 * A block whose tensors an earlier run has finished: only its output is wanted.
 * @param replaced values in place of the model's, by GGUF name
 */
export async function passThrough(
  { view, device, block, onStep }: LayerTask,
  states: readonly Float32Array[],
  replaced: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const layer = await openLayer(view, device, block, states);
  try {
    for (const [name, values] of replaced) layer.weights.write(name, values);
    for (const stream of states) {
      for (const subLayer of layer.block.subLayers.keys()) addInto(stream, await addendOf(layer, subLayer, stream));
      await onStep?.();
    }
  } finally {
    layer.dispose();
  }
}

async function quantizeObserved(
  task: LayerTask,
  layer: ObservedLayer,
  states: Float32Array[],
  weights: readonly QuantizedWeight[],
  pairs: readonly LayerPair[],
): Promise<LayerResult> {
  const { method, block } = task;
  const found = await searchPairs(task, layer, states, pairs);
  const scalings = scalingsOf(found);
  const changed = new Map<string, HostWeight>();
  for (const [name, scaling] of scalings) {
    const weight = layer.weights.host.get(name);
    if (!weight) continue; // a maker without a bias
    scaleRows(weight.values, 0, weight, scaling);
    if (!weights.some((quantized) => quantized.name === name)) changed.set(name, weight);
  }
  const clips: { tensor: string; error: number; unclippedError: number }[] = [];
  const quantized = new Map<string, GroupedRows[]>();
  if (method.name !== 'scales')
    for (const weight of weights) {
      const host = layer.weights.get(weight.name);
      const statistics = layer.observer.of(weight.input);
      if (method.name === 'awq' && method.clip && !isQueryOrKey(weight.name)) {
        const clip = await clipEach(task, host, statistics, scalings.get(weight.name));
        clips.push({ tensor: weight.name, ...clip });
      }
      quantized.set(weight.name, roundEach(host.values, weight, task.grid));
      await task.onStep?.();
    }
  return { block, quantized, changed, pairs: found, clips, starved: starvedExperts(layer.observer, weights) };
}

async function searchPairs(
  { view, grid, onStep }: LayerTask,
  layer: ObservedLayer,
  states: Float32Array[],
  pairs: readonly LayerPair[],
): Promise<PairScales[]> {
  const found: PairScales[] = [];
  const { added, weights, block, observer } = layer;
  const searched = sequenceParts(states.map((sequence) => tokensOf(view, [sequence])));
  let reached = 0; // the sub-layer that `states` enter
  const advanceTo = (subLayer: number): void => {
    while (reached < subLayer) addTo(states, added[reached++]!);
  };
  for (const pair of pairs) {
    if (!pair.scaled) continue;
    const subLayer = block.subLayerOf(pair.layers[0]!);
    advanceTo(subLayer);
    const parts = searched.map((part) => part.map((s) => ({ states: states[s]!, output: added[subLayer]![s]! })));
    const inputs = ({ input }: LayerPair) => observer.of(input);
    found.push(await searchScales({ weights, block, subLayer, grid, inputs, parts, onStep }, pair));
  }
  advanceTo(added.length);
  return found;
}

/** What has to be known of each input. */
function wantedInputs(weights: readonly QuantizedWeight[], pairs: readonly LayerPair[], method: Method) {
  const inputs = new Map<string, { experts: number; width: number; gram: boolean; sample: boolean }>();
  const want = (name: string, experts: number, width: number, gram: boolean, sample: boolean): void => {
    const before = inputs.get(name);
    inputs.set(name, { experts, width, gram: gram || !!before?.gram, sample: sample || !!before?.sample });
  };
  for (const { name, input, experts, cols } of weights) {
    const inspected = pairs.some(
      ({ layers, inspect, scaled }) => scaled && inspect === 'layer' && layers.includes(name),
    );
    const clipped = method.name === 'awq' && method.clip && !isQueryOrKey(name);
    want(input, experts, cols, inspected, clipped);
  }
  for (const { input, layers } of pairs) {
    const { cols, experts } = weights.find(({ name }) => name === layers[0])!;
    // Behind a norm all experts are scaled alike, by what all tokens have.
    want(input, layers.includes(input) ? experts : 1, cols, false, false);
  }
  return inputs;
}

/** Clipping q and k hurts what their product says (AutoAWQ leaves them out). */
const isQueryOrKey = (name: string): boolean => /\.attn_[qk]\.weight$/.test(name);

async function clipEach(
  { device, grid }: LayerTask,
  { values, rows, cols }: HostWeight,
  statistics: readonly InputStatistics[],
  scaling: TensorScaling | undefined,
): Promise<{ error: number; unclippedError: number }> {
  let error = 0;
  let unclippedError = 0;
  for (const [expert, { sample }] of statistics.entries()) {
    if (sample.length === 0) continue;
    const own = values.subarray(expert * rows * cols, (expert + 1) * rows * cols);
    const columns = scaling?.columns;
    const from = columns && columns.length > cols ? expert * cols : 0;
    const scaled = columns ? sample.map((row) => row.map((x, c) => x / columns[from + c]!)) : sample;
    const clip = await searchClip(device, { weights: own, cols, sample: scaled, grid });
    applyClip(own, clip.limits, grid.groupSize);
    error += clip.error;
    unclippedError += clip.unclippedError;
  }
  return { error, unclippedError };
}

const roundEach = (values: Float32Array, { name, experts, rows, cols }: QuantizedWeight, grid: Grid): GroupedRows[] =>
  Array.from({ length: experts }, (_, expert) => {
    const own = values.subarray(expert * rows * cols, (expert + 1) * rows * cols);
    return quantizeMatrix(own, { tensor: name, rows, cols }, grid);
  });
