// GPTQ of one block. Every weight is fitted to the inputs that it will have: the blocks before are quantized already, and
// so are the weights before it within the block (q, k, v; then o; then gate and up; then down). Inputs of the unquantized
// model would leave the errors of all that comes before uncorrected.
import { availableParallelism } from 'node:os';
import { dequantize, type GroupedRows } from '@quern/packed';
import { factoredInputs } from '../gptq/hessian.ts';
import { quantizeGptq } from '../gptq/quantize-gptq.ts';
import { quantizeMatrix } from '../grid/quantized-matrix.ts';
import { type InputObserver, observerOf, type WantedInputs } from '../layer/input-observer.ts';
import type { InputStatistics } from '../layer/input-statistics.ts';
import { layerPairs, type QuantizedWeight, quantizedWeights } from '../layer/layer-pairs.ts';
import { addendOf, addInto, type OpenLayer, openLayer, tokensOf } from '../layer/open-layer.ts';
import { type LayerResult, type LayerTask, type Method, starvedExperts } from './layer-task.ts';

type Gptq = Extract<Method, { name: 'gptq' }>;

/** Weights whose inputs are complete at the same time. */
interface Stage {
  readonly subLayer: number;
  readonly weights: readonly QuantizedWeight[];
}

/** @param states residual stream that enters the block; afterwards the one that leaves the quantized block */
export async function gptqLayer(task: LayerTask, method: Gptq, states: Float32Array[]): Promise<LayerResult> {
  const { view, device, block, onStep } = task;
  const layer = await openLayer(view, device, block, states);
  const quantized = new Map<string, readonly GroupedRows[]>();
  const starved: LayerResult['starved'][number][] = [];
  try {
    const stages = stagesOf(task, layer);
    for (const subLayer of layer.block.subLayers.keys()) {
      for (const stage of stages.filter((one) => one.subLayer === subLayer)) {
        const observer = await observe(task, layer, stage, states);
        if (starved.length === 0) starved.push(...starvedExperts(observer, stage.weights));
        await quantizeStage(task, method, layer, stage, observer, quantized);
      }
      for (const stream of states) {
        addInto(stream, await addendOf(layer, subLayer, stream));
        await onStep?.();
      }
    }
  } finally {
    layer.dispose();
  }
  return { block, quantized, changed: new Map(), pairs: [], clips: [], starved };
}

/** In the order in which the block multiplies with them. */
function stagesOf({ view, block }: LayerTask, layer: OpenLayer): Stage[] {
  const weights = quantizedWeights(view, block);
  return layerPairs(view, block).map(({ layers }) => ({
    subLayer: layer.block.subLayerOf(layers[0]!),
    weights: weights.filter(({ name }) => layers.includes(name)),
  }));
}

async function observe(
  { view, device, onStep }: LayerTask,
  { block }: OpenLayer,
  { subLayer, weights }: Stage,
  states: readonly Float32Array[],
): Promise<InputObserver> {
  const wanted: WantedInputs = new Map(
    weights.map(({ input, experts, cols }) => [input, { experts, width: cols, gram: true, sample: false }]),
  );
  const observer = observerOf(device, wanted, tokensOf(view, states));
  for (const stream of states) {
    block.runInto(subLayer, stream, [...wanted.keys()], observer);
    await observer.settle();
    await onStep?.();
  }
  await observer.finish();
  return observer;
}

/** Weights of a stage that read one input share what is known of it. */
async function quantizeStage(
  task: LayerTask,
  method: Gptq,
  { weights: held }: OpenLayer,
  { weights }: Stage,
  observer: InputObserver,
  quantized: Map<string, readonly GroupedRows[]>,
): Promise<void> {
  const results = weights.map((weight) => ({ weight, matrices: [] as GroupedRows[] }));
  for (const input of new Set(weights.map((weight) => weight.input)))
    for (const [expert, statistics] of observer.of(input).entries()) {
      const readers = results.filter(({ weight }) => weight.input === input);
      const known = await factored(task, method, statistics, input);
      for (const { weight, matrices } of readers) {
        const { rows, cols, name } = weight;
        const own = held.get(name).values.subarray(expert * rows * cols, (expert + 1) * rows * cols);
        const shape = { tensor: name, rows, cols };
        matrices.push(
          known
            ? await quantizeGptq(task.device, own, shape, known, { grid: task.grid, ...method })
            : quantizeMatrix(own, shape, task.grid),
        );
      }
    }
  for (const { weight, matrices } of results) {
    quantized.set(weight.name, matrices);
    held.write(weight.name, valuesOf(matrices));
    await task.onStep?.();
  }
}

/** Undefined for an expert that no token reached: nothing is known of it, and its weights are rounded. */
async function factored(
  { device }: LayerTask,
  { actOrder, damp }: Gptq,
  { rows: tokens, gram }: InputStatistics,
  tensor: string,
) {
  if (tokens === 0) return undefined;
  // A GPU has no threads of its own: the factorization is always the processor's.
  const threads = device.name === 'webgpu' ? availableParallelism() : device.limits.threads;
  return factoredInputs(gram!.sums, tokens, { actOrder, damp, threads, tensor });
}

/** What is read of the codes, one matrix after the other. */
function valuesOf(matrices: readonly GroupedRows[]): Float32Array {
  const size = matrices[0]!.codes.length;
  const values = new Float32Array(matrices.length * size);
  for (const [i, matrix] of matrices.entries()) dequantize(matrix, values.subarray(i * size, (i + 1) * size));
  return values;
}
