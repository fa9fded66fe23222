// One block of a network by itself, on weights that the caller owns and may overwrite: what calibration of one layer at
// a time runs. Every call computes one sequence from its first position, so a cache of one sequence is enough.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';
import { networkOf } from '../network-of.ts';
import { batchLimits } from './batch-limits.ts';
import { allocateBuffers, bufferBytes, bufferShapes, ringsOf } from './buffers.ts';
import { HeldWeights } from './held-weights.ts';
import { loadRopes } from './load-ropes.ts';
import type { MatmulObserver } from './model.ts';
import { type Network, type PartSpec, partsOf } from './network.ts';
import { networkTensors } from './network-tensors.ts';
import { observeMatmuls } from './observe-matmuls.ts';
import { bytesOf, startPass } from './rank.ts';
import { roomOf } from './rooms.ts';
import { HeldStates, heldStateBytes } from './state/held-states.ts';
import { computeSubLayer } from './sub-layer.ts';

export interface SingleBlock {
  /** Of the usual block attention and feed-forward. */
  readonly subLayers: readonly SingleSubLayer[];
  /** The sub-layer that multiplies with the weight of that GGUF name. */
  subLayerOf(weight: string): number;
  /**
   * What sub-layer `index` adds to the residual stream `states` [T, C] that enters it, T at most the `tokens` given: [T, C]
   * on the device, overwritten by the next call.
   */
  run(index: number, states: Float32Array, observer?: MatmulObserver): Tensor;
  /**
   * Computes sub-layer `index` only as far as the observer has seen what every one of `weights` (GGUF names) is multiplied
   * with: what comes behind is not wanted.
   */
  runInto(index: number, states: Float32Array, weights: readonly string[], observer: MatmulObserver): void;
  /** Frees cache and activations; the weights stay the caller's. */
  dispose(): void;
}

export interface SingleSubLayer {
  /** For people: `attention`. */
  readonly title: string;
  /** GGUF name of the matrix that gives what it adds, or the last of them. */
  readonly lastWeight: string;
}

/** Leaves a sub-layer in its middle: ops are handed to the device one by one, and none is owed another. */
const allSeen = Symbol('all inputs seen');

const holdingOf = (index: number) => ({ firstBlock: index, endBlock: index + 1, embedding: false, output: false });

/** Device bytes of states and activations of one sequence, for the block that needs most. */
export function singleBlockBytes(view: ModelView, tokens: number): number {
  const network = networkOf(view);
  const limits = batchLimits({ batchTokens: tokens });
  const bytes = network.blocks.map(
    (_, index) =>
      bufferBytes(bufferShapes(network, limits, holdingOf(index)), limits) +
      heldStateBytes(network, limits, holdingOf(index)),
  );
  return Math.max(...bytes);
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
  const network = networkOf(view);
  const limits = batchLimits({ batchTokens: tokens });
  const { subLayers } = network.blocks[index]!;
  requireOwnState(network, index, view.path);
  const ropes = await loadRopes(view, [network.blocks[index]!], tokens);
  const owned: Tensor[] = [];
  const alloc: Device['alloc'] = (...request) => {
    const tensor = device.alloc(...request);
    owned.push(tensor);
    return tensor;
  };
  const held = new HeldWeights(network, weights, holdingOf(index));
  const shapes = bufferShapes(network, limits, holdingOf(index));
  const buffers = allocateBuffers(device, alloc, shapes, limits);
  const states = new HeldStates(device, alloc, network, limits, holdingOf(index));
  const rings = ringsOf([network.blocks[index]!], limits);
  const rank = { device, network, held, states, buffers, bufferShapes: shapes, rings };
  const blockTable = Int32Array.from({ length: limits.tableWidth }, (_, cacheBlock) => cacheBlock);

  const enter = (entering: Float32Array, observer: MatmulObserver | undefined) => {
    const T = entering.length / network.embeddingLength;
    const positions = Int32Array.from({ length: T }, (_, position) => position);
    const batch = { tokens: new Int32Array(T), positions, seqs: new Int32Array(T), blockTable };
    const pass = startPass(rank, batch, limits, ropes, observer && observeMatmuls(held, device, observer));
    device.write(pass.buffer('residual'), bytesOf(entering));
    return pass;
  };
  const run: SingleBlock['run'] = (subLayer, entering, observer) => {
    const pass = enter(entering, observer);
    const running = computeSubLayer(
      pass,
      subLayers[subLayer]!,
      held.weights.blocks[0]![subLayer]!,
      states.of(index, subLayer),
    );
    for (;;) {
      const { done, value } = running.next();
      if (done) return value;
    }
  };
  return {
    subLayers: subLayers.map(({ parts }) => ({
      title: parts.map(({ room }) => roomOf(room).title).join(' and '),
      lastWeight: `blk.${index}.${lastWeight(parts.at(-1)!, network.embeddingLength)}`,
    })),
    subLayerOf: (weight) => {
      const part = networkTensors(network).find(({ name }) => name === weight)!.part!.index;
      let parts = 0;
      return subLayers.findIndex((subLayer) => (parts += subLayer.parts.length) > part);
    },
    run,
    runInto(subLayer, entering, wanted, observer) {
      const missing = new Set(wanted);
      const seen = (weight: string): void => {
        if (missing.delete(weight) && missing.size === 0) throw allSeen;
      };
      try {
        run(subLayer, entering, {
          onMatmulInput(weight, ...rest) {
            observer.onMatmulInput(weight, ...rest);
            seen(weight);
          },
          onExpertInput(weight, ...rest) {
            observer.onExpertInput(weight, ...rest);
            seen(weight);
          },
        });
      } catch (reason) {
        if (reason !== allSeen) throw reason;
      }
    },
    dispose: () => owned.forEach((tensor) => void device.free(tensor)),
  };
}

/** What an earlier block keeps is not here, nor are the tokens; and a norm of the stream itself is not in what is added. */
function requireOwnState({ architecture, blocks }: Network, index: number, file: string): void {
  if (blocks[index]!.subLayers.some(({ onStream }) => onStream))
    throw new QuernError(
      'unsupported-model',
      `Blocks of ${architecture} norm what they have added: they cannot be calibrated one by one.`,
      { file, remedy: 'Quantize with an importance matrix instead, which is measured on the whole network.' },
    );
  for (const { room } of partsOf(blocks[index]!)) {
    const { stateOf, needsTokens } = roomOf(room);
    const of = stateOf?.(room);
    const uses = of !== undefined ? `the keys and values of block ${of}` : needsTokens && 'an input of each token';
    if (uses)
      throw new QuernError('unsupported-model', `Block ${index} uses ${uses}: it cannot be calibrated by itself.`, {
        file,
        remedy: 'Quantize with an importance matrix instead, which is measured on the whole network.',
      });
  }
}

const lastWeight = ({ room }: PartSpec, width: number): string =>
  Object.values(roomOf(room).tensors(room, width))
    .filter(({ shape }) => shape.length > 1)
    .at(-1)!.name;
