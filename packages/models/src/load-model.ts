// From a model on disk to a model on devices: the memory is counted first, then the weights stream in, a few rows at a
// time, so that the host never holds a whole tensor.
import { type ModelView, type TensorView, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';
import type { BatchSizes } from './forward/batch-limits.ts';
import { allocateBuffers, allocateCaches, bufferShapes } from './forward/buffers.ts';
import { requireCacheTypes } from './forward/cache-types.ts';
import { decoderModel } from './forward/decoder-model.ts';
import { HeldWeights } from './forward/held-weights.ts';
import { loadTensor, readVector, requireWeightDtypes } from './forward/load-tensor.ts';
import type { Model } from './forward/model.ts';
import type { Rank } from './forward/rank.ts';
import { ropeFrequencies } from './forward/rope.ts';
import { isMatrix } from './forward/weights.ts';
import type { Hyperparameters } from './hyperparameters.ts';
import type { DevicePlacement, PlacementOptions } from './placement/placement.ts';
import { networkOf, planShares } from './placement/plan.ts';
import type { Network, Share } from './placement/shares.ts';

export interface LoadOptions extends BatchSizes, PlacementOptions {
  /** Called as weights arrive, in bytes as stored. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Loads a model of the llama family, dense or with experts.
 * @param devices one, or several to share the model as `options` say; they stay the caller's to dispose
 * @throws QuernError
 *   `model-too-large` with the numbers, before anything is read; `placement-invalid`, `placement-not-divisible`;
 *   `tensor-missing`, `tensor-unexpected`, `tensor-wrong-shape`, `weight-dtype-unsupported` (tensor and dtype named);
 *   `cache-type-unsupported`; `unsupported-model` when the heads have a shape that the attention op does not take;
 *   and those of `hyperparameters`.
 */
export async function loadModel(
  view: ModelView,
  devices: Device | readonly Device[],
  options: LoadOptions,
): Promise<Model> {
  const all = 'alloc' in devices ? [devices] : devices;
  const network = networkOf(await withProvedForms(view), options);
  checkHeads(network.hyperparameters, view.path);
  const { placement, shares } = planShares(network, all, options);
  for (const { device, tensors } of shares) {
    requireCacheTypes(all[device]!, network.limits.cacheTypes);
    await requireWeightDtypes(all[device]!, tensors.map(({ tensor }) => tensor).filter(isMatrix));
  }

  const loading = shares.map((share) => new RankInLoading(all[share.device]!, share));
  const dispose = (): void => {
    for (const rank of loading) rank.free();
  };
  try {
    for (const rank of loading) rank.reserve(network);
    await loadWeights(loading, options.onProgress);
    const divisors = view.tensors.get('rope_freqs.weight');
    const ranks = loading.map((rank) => rank.finish());
    return decoderModel({
      hyperparameters: network.hyperparameters,
      placement,
      memory: {
        weightBytes: total(placement.devices, 'weightBytes'),
        kvBytes: total(placement.devices, 'kvBytes'),
        activationBytes: total(placement.devices, 'activationBytes'),
      },
      limits: network.limits,
      stages:
        placement.split === 'row'
          ? [{ firstBlock: 0, ranks }]
          : ranks.map((rank, i) => ({ firstBlock: shares[i]!.firstBlock, ranks: [rank] })),
      rope: ropeFrequencies(network.hyperparameters, divisors && (await readVector(divisors))),
      dispose,
    });
  } catch (error) {
    dispose();
    throw error;
  }
}

/** A device on its way to hold its share. */
class RankInLoading {
  readonly device: Device;
  readonly share: Share;
  readonly #owned: Tensor[] = [];
  readonly #loaded = new Map<string, Tensor>();
  #memory?: Pick<Rank, 'buffers' | 'caches'>;

  constructor(device: Device, share: Share) {
    this.device = device;
    this.share = share;
  }

  /** Takes the memory of cache and activations. */
  reserve({ limits }: Network): void {
    const { hyperparameters } = this.share;
    const alloc: Device['alloc'] = (...request) => this.#own(this.device.alloc(...request));
    this.#memory = {
      buffers: allocateBuffers(alloc, bufferShapes(hyperparameters, limits, this.share)),
      caches: allocateCaches(alloc, hyperparameters, limits, this.share),
    };
  }

  async load(tensor: TensorView, onBytes: (bytes: number) => void): Promise<void> {
    this.#loaded.set(tensor.name, this.#own(await loadTensor(this.device, tensor, onBytes)));
  }

  finish(): Rank {
    const { hyperparameters } = this.share;
    return {
      device: this.device,
      hyperparameters,
      held: new HeldWeights(this.#loaded, this.share, (before, dtype, name) => this.#exchange(before, dtype, name)),
      ...this.#memory!,
    };
  }

  free(): void {
    for (const tensor of this.#owned) this.device.free(tensor);
    this.#owned.length = 0;
  }

  /** The old tensor goes first: there may be no room for both. */
  #exchange(before: Tensor, dtype: string, name: string): Tensor {
    this.#owned.splice(this.#owned.indexOf(before), 1);
    this.device.free(before);
    return this.#own(this.device.alloc(dtype, before.shape, name));
  }

  #own(tensor: Tensor): Tensor {
    this.#owned.push(tensor);
    return tensor;
  }
}

async function loadWeights(ranks: readonly RankInLoading[], onProgress: LoadOptions['onProgress']): Promise<void> {
  const pieces = ranks.flatMap((rank) => rank.share.tensors.map(({ tensor }) => ({ rank, tensor })));
  const totalBytes = pieces.reduce((sum, { tensor }) => sum + tensor.rows * tensor.rowBytes, 0);
  let doneBytes = 0;
  for (const { rank, tensor } of pieces.sort((a, b) => inFileOrder(a.tensor, b.tensor)))
    await rank.load(tensor, (bytes) => onProgress?.((doneBytes += bytes), totalBytes));
}

/** The order that a disk likes, and a source that reads ahead. */
const inFileOrder = (a: TensorView, b: TensorView): number =>
  a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1;

const total = (shares: readonly DevicePlacement[], key: 'weightBytes' | 'kvBytes' | 'activationBytes'): number =>
  shares.reduce((sum, share) => sum + share[key], 0);

function checkHeads({ keyLength, valueLength }: Hyperparameters, file: string): void {
  if (keyLength !== valueLength || keyLength % 4 !== 0)
    throw new QuernError(
      'unsupported-model',
      `Heads of ${keyLength} (key) and ${valueLength} (value) scalars are not supported: equal sizes, a multiple of 4, are.`,
      { file },
    );
}
