// What a run will take, told before it begins: memory, time, and what the device cannot hold is refused.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { hyperparameters, singleBlockBytes } from '@quern/models';
import type { Device } from '@quern/runtime';
import { triangleBytes } from '../gptq/triangle-tiles.ts';
import { quantizedWeights } from '../layer/layer-pairs.ts';
import { blockBytes } from '../layer/layer-weights.ts';
import { measuredParts, measurements, mostParts } from '../search/best-ratio.ts';
import { searchedSequences } from '../search/sequence-parts.ts';
import type { Method } from './layer-task.ts';

export interface Needs {
  /** Bytes on the host: one block's weights, what is known of its inputs, the residual streams of all sequences. */
  readonly hostBytes: number;
  /** Bytes on the device: the block's weights, one sequence's activations, panels of products. */
  readonly deviceBytes: number;
  /** Of products, over all blocks. */
  readonly flops: number;
  readonly seconds: number;
}

/** Panels of Gram matrices and of their products. */
const scratchBytes = 3 * 128 * 2 ** 20;

export interface PreflightTask {
  readonly view: ModelView;
  readonly device: Device;
  readonly method: Method;
  readonly sequences: number;
  readonly sequenceTokens: number;
}

/** @throws QuernError `model-too-large` with the numbers */
export async function preflight({ view, device, method, sequences, sequenceTokens }: PreflightTask): Promise<Needs> {
  const { blockCount, embeddingLength } = hyperparameters(view);
  const blocks = Array.from({ length: blockCount }, (_, block) => block);
  const largest = Math.max(...blocks.map((block) => blockBytes(view, block)));
  const calibrated = method.name !== 'rtn';
  const tokens = calibrated ? sequences * sequenceTokens : 0;
  const deviceBytes = calibrated ? largest + singleBlockBytes(view, sequenceTokens) + scratchBytes : 0;
  if (deviceBytes > device.limits.memoryBytes)
    throw new QuernError(
      'model-too-large',
      `One block of the model needs ${deviceBytes} bytes in F32 on the ${device.name} device, which may hold ${device.limits.memoryBytes}.`,
      { file: view.path, remedy: 'Lower --seq-len if activations are what is large; else this device is too small.' },
    );
  const flops = calibrated
    ? blocks.reduce((sum, block) => sum + blockFlops(view, block, method, { sequences, sequenceTokens }), 0)
    : 0;
  const grams = Math.max(...blocks.map((block) => gramBytes(view, block, method)));
  return {
    hostBytes: largest + 3 * 4 * tokens * embeddingLength + grams,
    deviceBytes,
    flops,
    seconds: flops === 0 ? 0 : flops / (await flopsPerSecond(device)) + hostSeconds(view, blocks, method),
  };
}

const inspectsLayer = (name: string): boolean => /\.(attn_output|ffn_down\w*)\.weight$/.test(name);

/** Gram matrices of a block, and the Hessian that GPTQ factors, one at a time. */
function gramBytes(view: ModelView, block: number, { name: method }: Method): number {
  if (method === 'rtn') return 0;
  const inputs = new Map<string, number>();
  const weights = quantizedWeights(view, block);
  for (const { name, input, experts, cols } of weights)
    if (method === 'gptq' || inspectsLayer(name)) inputs.set(input, 4 * experts * cols ** 2);
  const hessian = method === 'gptq' ? triangleBytes(Math.max(...weights.map(({ cols }) => cols))) : 0;
  return [...inputs.values()].reduce((sum, bytes) => sum + bytes, 0) + hessian;
}

function blockFlops(
  view: ModelView,
  block: number,
  { name: method }: Method,
  { sequences, sequenceTokens }: Pick<PreflightTask, 'sequences' | 'sequenceTokens'>,
): number {
  const tokens = sequences * sequenceTokens;
  const weights = quantizedWeights(view, block);
  const of = (chosen: typeof weights): number =>
    chosen.reduce((sum, { experts, rows, cols }) => sum + experts * rows * cols, 0);
  // Experts see a part of the tokens; taking all of them bounds the time from above.
  const forward = 2 * tokens * of(weights);
  if (method === 'gptq') {
    const inputs = new Map(weights.map(({ input, cols }) => [input, cols]));
    const allGrams = [...inputs.values()].reduce((sum, cols) => sum + tokens * cols ** 2, 0);
    // Columns behind a block, and the factorization: ⅔ cols³ in F64, each worth two in F32 or a little less.
    const columns = weights.reduce((sum, { experts, rows, cols }) => sum + experts * (rows + cols) * cols ** 2, 0);
    // The block runs once to its end, and once more into the middle: as far as the inputs of o and of down.
    return 2 * forward + allGrams + columns;
  }
  const grams = weights.reduce((sum, { name, cols }) => sum + (inspectsLayer(name) ? tokens * cols ** 2 : 0), 0);
  const searched = Math.min(sequences, searchedSequences(sequenceTokens)) / sequences;
  const layerErrors = weights.reduce(
    (sum, { name, experts, rows, cols }) => sum + (inspectsLayer(name) ? 2 * experts * rows * cols ** 2 : 0),
    0,
  );
  return forward + grams + (measuredParts / mostParts) * searched * forward + measurements(1) * layerErrors;
}

/** Rounding a weight to codes and back, and the like: some 15 ns on the host, one thread, on machines of 2024. */
const secondsPerCode = 15e-9;

function hostSeconds(view: ModelView, blocks: readonly number[], method: Method): number {
  const weights = blocks
    .flatMap((block) => quantizedWeights(view, block))
    .reduce((sum, { experts, rows, cols }) => sum + experts * rows * cols, 0);
  const clipSteps = method.name === 'awq' && method.clip ? 10 : 0;
  const rounds = method.name === 'gptq' ? 2 : measurements(mostParts) + 2 * clipSteps;
  return weights * rounds * secondsPerCode;
}

/** A product of a typical shape, timed. */
async function flopsPerSecond(device: Device): Promise<number> {
  const [tokens, rows, cols] = [256, 512, 512];
  const x = device.alloc('F32', [tokens, cols], 'probe');
  const w = device.alloc('F32', [rows, cols], 'probe');
  const y = device.alloc('F32', [tokens, rows], 'probe');
  try {
    let best = 0;
    for (let round = 0; round < 4; round++) {
      const start = performance.now();
      device.run('matmul', [x, w], y, {});
      await device.sync();
      best = Math.max(best, (2 * tokens * rows * cols) / ((performance.now() - start) / 1000));
    }
    return best;
  } finally {
    for (const tensor of [x, w, y]) device.free(tensor);
  }
}
