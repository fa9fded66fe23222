// One block of a network by itself, on weights that the caller owns and may overwrite: what calibration of one layer at
// a time runs. Every call computes one sequence from its first position, so a cache of one sequence is enough.
import type { ModelView } from '@quern/checkpoint';
import type { Device, Tensor } from '@quern/runtime';
import { hyperparameters } from '../hyperparameters.ts';
import { batchLimits } from './batch-limits.ts';
import { attend, feedForward } from './block.ts';
import { allocateBuffers, allocateCaches, bufferBytes, bufferShapes, cacheBytes } from './buffers.ts';
import { HeldWeights } from './held-weights.ts';
import { readVector } from './load-tensor.ts';
import type { MatmulObserver } from './model.ts';
import type { BatchPass } from './pass.ts';
import { bytesOf, startPass } from './rank.ts';
import { ropeFrequencies } from './rope.ts';

export interface SingleBlock {
  /**
   * What the attention adds to the residual stream `states` [T, C], T at most the `tokens` given: [T, C] on the device,
   * overwritten by the next call.
   */
  attention(states: Float32Array, observer?: MatmulObserver): Tensor;
  /** The same of the MLP, or of the experts all together; `states` include what the attention has added. */
  feedForward(states: Float32Array, observer?: MatmulObserver): Tensor;
  /** Frees cache and activations; the weights stay the caller's. */
  dispose(): void;
}

/** Device bytes of cache and activations of one sequence. */
export function singleBlockBytes(view: ModelView, tokens: number): number {
  const numbers = hyperparameters(view);
  const limits = batchLimits({ batchTokens: tokens });
  return bufferBytes(bufferShapes(numbers, limits, { output: false })) + cacheBytes(numbers, limits, 1);
}

/**
 * @param weights tensors of block `index` by GGUF name: matrices of any type the device multiplies with, vectors F32
 * @param tokens longest sequence
 */
export async function singleBlock(
  view: ModelView,
  device: Device,
  index: number,
  weights: ReadonlyMap<string, Tensor>,
  tokens: number,
): Promise<SingleBlock> {
  const numbers = hyperparameters(view);
  const limits = batchLimits({ batchTokens: tokens });
  const divisors = view.tensors.get('rope_freqs.weight');
  const rope = ropeFrequencies(numbers, divisors && (await readVector(divisors)));
  const part = { firstBlock: index, endBlock: index + 1, embedding: false, output: false };
  const owned: Tensor[] = [];
  const alloc: Device['alloc'] = (...request) => {
    const tensor = device.alloc(...request);
    owned.push(tensor);
    return tensor;
  };
  const held = new HeldWeights(weights, part);
  const arranged = held.weights.blocks[0]!;
  const buffers = allocateBuffers(alloc, bufferShapes(numbers, limits, { output: false }));
  const caches = allocateCaches(alloc, numbers, limits, part);
  const rank = { device, hyperparameters: numbers, held, caches, buffers };
  const blockTable = Int32Array.from({ length: limits.tableWidth }, (_, cacheBlock) => cacheBlock);

  const enter = (states: Float32Array, observer: MatmulObserver | undefined): BatchPass => {
    const T = states.length / numbers.embeddingLength;
    const positions = Int32Array.from({ length: T }, (_, position) => position);
    const batch = { tokens: new Int32Array(T), positions, seqs: new Int32Array(T), blockTable };
    const observe: BatchPass['observe'] =
      observer &&
      ((weight, input, ids) => {
        const name = held.names.get(weight)!;
        if (ids) observer.onExpertInput(name, input, ids, numbers.experts!.count, device);
        else observer.onMatmulInput(name, input, device);
      });
    const pass = startPass(rank, batch, limits, rope, observe);
    device.write(pass.buffers.residual, bytesOf(states));
    return pass;
  };
  return {
    attention: (states, observer) => attend(enter(states, observer), arranged, caches[0]!),
    feedForward(states, observer) {
      let sum: Tensor | undefined;
      for (const { y } of feedForward(enter(states, observer), arranged)) {
        if (sum) device.run('add', [sum, y], sum, {});
        else sum = y;
      }
      return sum!;
    },
    dispose: () => owned.forEach((tensor) => void device.free(tensor)),
  };
}
