// One block: observe, scale, clip, quantize.
import type { ModelView } from '@quern/checkpoint';
import type { GroupedRows } from '@quern/packed';
import type { Device } from '@quern/runtime';
import { type PairScales, scaleRows, scalingsOf, type TensorScaling } from '../fold/pair-scales.ts';
import { quantizeGptq } from '../gptq/quantize-gptq.ts';
import type { Grid } from '../grid/grid.ts';
import { quantizeMatrix } from '../grid/quantized-matrix.ts';
import type { InputStatistics } from '../layer/input-statistics.ts';
import { type LayerPair, layerPairs, type QuantizedWeight, quantizedWeights } from '../layer/layer-pairs.ts';
import { type HostWeight, readFloats } from '../layer/layer-weights.ts';
import { addTo, type ObservedLayer, observeLayer } from '../layer/observe-layer.ts';
import { applyClip, searchClip } from '../search/search-clip.ts';
import { searchScales } from '../search/search-scales.ts';

export type Method =
  | { readonly name: 'awq'; readonly clip: boolean }
  | { readonly name: 'gptq'; readonly actOrder: boolean; readonly freeGroups: boolean; readonly damp: number }
  | { readonly name: 'rtn' }
  /** Only look for scales. */
  | { readonly name: 'scales' };

/** Experts with fewer calibration tokens than this are reported: what is known of their inputs is little. */
export const fewTokens = 128;

export interface LayerResult {
  readonly block: number;
  /** By GGUF name; one matrix per expert. Empty for `scales`. */
  readonly quantized: ReadonlyMap<string, readonly GroupedRows[]>;
  /** Tensors of the block that stay numbers but have changed: norms, routers, biases. */
  readonly changed: ReadonlyMap<string, HostWeight>;
  readonly pairs: readonly PairScales[];
  readonly clips: readonly { tensor: string; error: number; unclippedError: number }[];
  /** Experts that few tokens or none have reached. */
  readonly starved: readonly { tensor: string; expert: number; tokens: number }[];
}

export interface LayerTask {
  readonly view: ModelView;
  readonly device: Device;
  readonly block: number;
  readonly grid: Grid;
  readonly method: Method;
  readonly onStep?: () => Promise<void>;
}

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
  const pairs = layerPairs(view, block);
  const inputs = wantedInputs(weights, pairs, method);
  const layer = await observeLayer(view, device, block, states, { inputs, onStep: task.onStep });
  try {
    return await quantizeObserved(task, layer, states, weights, pairs);
  } finally {
    layer.dispose();
  }
}

/** A block whose tensors an earlier run has finished: only its output is wanted. */
export async function passThrough({ view, device, block, onStep }: LayerTask, states: Float32Array[]): Promise<void> {
  const layer = await observeLayer(view, device, block, states, { inputs: new Map(), onStep });
  layer.dispose();
  for (const addend of layer.added) addTo(states, addend);
}

async function quantizeObserved(
  task: LayerTask,
  layer: ObservedLayer,
  states: Float32Array[],
  weights: readonly QuantizedWeight[],
  pairs: readonly LayerPair[],
): Promise<LayerResult> {
  const { method, block } = task;
  const found = method.name === 'gptq' ? [] : await searchPairs(task, layer, states, pairs);
  if (method.name === 'gptq') for (const addend of layer.added) addTo(states, addend);
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
      quantized.set(
        weight.name,
        method.name === 'gptq'
          ? await gptqEach(task, host, weight, statistics, method)
          : roundEach(host.values, weight, task.grid),
      );
      await task.onStep?.();
    }
  return { block, quantized, changed, pairs: found, clips, starved: starvedExperts(layer, weights) };
}

async function searchPairs(
  { grid, onStep }: LayerTask,
  layer: ObservedLayer,
  states: Float32Array[],
  pairs: readonly LayerPair[],
): Promise<PairScales[]> {
  const found: PairScales[] = [];
  const { added, weights, block, observer } = layer;
  let reached = 0; // the sub-layer that `states` enter
  const advanceTo = (subLayer: number): void => {
    while (reached < subLayer) addTo(states, added[reached++]!);
  };
  for (const pair of pairs) {
    if (!pair.scaled) continue;
    const subLayer = block.subLayerOf(pair.layers[0]!);
    advanceTo(subLayer);
    const sequences = states.map((entering, s) => ({ states: entering, output: added[subLayer]![s]! }));
    const inputs = ({ input }: LayerPair) => observer.of(input);
    found.push(await searchScales({ weights, block, subLayer, grid, inputs, sequences, onStep }, pair));
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
    want(input, experts, cols, method.name === 'gptq' || inspected, clipped);
  }
  if (method.name !== 'gptq')
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

async function gptqEach(
  { device, grid }: LayerTask,
  { values }: HostWeight,
  { name, rows, cols }: QuantizedWeight,
  statistics: readonly InputStatistics[],
  method: Extract<Method, { name: 'gptq' }>,
): Promise<GroupedRows[]> {
  const result: GroupedRows[] = [];
  for (const [expert, { gram, rows: tokens }] of statistics.entries()) {
    const own = values.subarray(expert * rows * cols, (expert + 1) * rows * cols);
    const shape = { tensor: name, rows, cols };
    // Nothing is known of an expert that no token reached: its weights are rounded.
    if (tokens === 0) result.push(quantizeMatrix(own, shape, grid));
    else result.push(await quantizeGptq(device, own, shape, { gram: gram!.sums, tokens }, { grid, ...method }));
  }
  return result;
}

function starvedExperts({ observer }: ObservedLayer, weights: readonly QuantizedWeight[]): LayerResult['starved'] {
  // All stacks of a block get the same tokens.
  const stack = weights.find(({ experts }) => experts > 1);
  if (!stack) return [];
  return observer
    .of(stack.input)
    .flatMap(({ rows: tokens }, expert) => (tokens < fewTokens ? [{ tensor: stack.input, expert, tokens }] : []));
}
