// From a model on disk to a model on devices: the memory is counted first, then the weights stream in, a few rows at a
// time, so that the host never holds a whole tensor.
import { type ModelView, type TensorView, withProvedForms } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Device, Tensor } from '@quern/runtime';
import type { ScaledAdapter } from './adapter/lora.ts';
import type { HeldAdapters, HeldPair } from './forward/adapters/adapter-pass.ts';
import { pairValues } from './forward/adapters/pair-values.ts';
import type { BatchSizes } from './forward/batch-limits.ts';
import { allocateBuffers, bufferShapes, ringsOf } from './forward/buffers.ts';
import { requireCacheTypes } from './forward/cache-types.ts';
import { decoderModel } from './forward/decoder-model.ts';
import type { LoadedDraft } from './forward/draft/draft-pass.ts';
import { withDraftBlocks } from './forward/draft/draft-weights.ts';
import { HeldWeights } from './forward/held-weights.ts';
import { loadRopes } from './forward/load-ropes.ts';
import { loadTensor, requireWeightDtypes } from './forward/load-tensor.ts';
import type { Model } from './forward/model.ts';
import { type Network, partsOf } from './forward/network.ts';
import { isMatrix } from './forward/network-tensors.ts';
import type { Rank } from './forward/rank.ts';
import { roomOf } from './forward/rooms.ts';
import { HeldStates } from './forward/state/held-states.ts';
import { hyperparameters } from './hyperparameters.ts';
import type { DevicePlacement, PlacementOptions } from './placement/placement.ts';
import { plannedModel, planShares } from './placement/plan.ts';
import { type PlannedModel, partsOfShare, type Share, type SharePart } from './placement/shares.ts';

export interface LoadOptions extends BatchSizes, PlacementOptions {
  /** Called as weights arrive, in bytes as stored. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Loads a model.
 * @param devices one, or several to share the model as `options` say; they stay the caller's to dispose
 * @throws QuernError
 *   `model-too-large` with the numbers, before anything is read; `placement-invalid`, `placement-not-divisible`;
 *   `tensor-missing`, `tensor-unexpected`, `tensor-wrong-shape`, `weight-dtype-unsupported` (tensor and dtype named);
 *   `cache-type-unsupported`; `unsupported-model` when a room cannot compute what its block is (heads of a shape that the attention op
 *   does not take); and those of `networkOf`.
 */
export async function loadModel(
  view: ModelView,
  devices: Device | readonly Device[],
  options: LoadOptions,
): Promise<Model> {
  const all = 'alloc' in devices ? [devices] : devices;
  const planned = plannedModel(await withProvedForms(view), options);
  const { network, limits } = planned;
  const computed = planned.draft ? withDraftBlocks(network) : network;
  requireSupport(computed, view.path);
  const { placement, shares } = planShares(planned, all, options);
  for (const share of shares) {
    const device = all[share.device]!;
    requireCacheTypes(device, limits.cacheTypes);
    const tensors = partsOfShare(share).flatMap((part) => part.tensors.map(({ tensor }) => tensor));
    await requireWeightDtypes(device, tensors.filter(isMatrix));
  }

  const loading = shares.map((share) => partsOfShare(share).map((part) => new RankInLoading(all[share.device]!, part)));
  const dispose = (): void => {
    for (const rank of loading.flat()) rank.free();
  };
  try {
    for (const rank of loading.flat()) rank.reserve(planned);
    await loadWeights(loading.flat(), options.onProgress);
    for (const rank of loading.flat()) await rank.loadPairs(planned.adapters);
    const loaded = loading.map((parts) => parts.map((part) => part.finish()));
    const ranks = loaded.map(([rank]) => rank!);
    return decoderModel({
      network,
      hyperparameters: hyperparameters(view, network),
      placement,
      memory: {
        weightBytes: total(placement.devices, 'weightBytes'),
        kvBytes: total(placement.devices, 'kvBytes'),
        activationBytes: total(placement.devices, 'activationBytes'),
      },
      limits,
      adapters: planned.adapters.length,
      stages:
        placement.split === 'row'
          ? [{ firstBlock: 0, endBlock: network.blocks.length, ranks }]
          : ranks.map((rank, i) => ({ ...rangeOf(shares[i]!), ranks: [rank] })),
      draft: loadedDraft(shares, loaded),
      ropes: await loadRopes(view, computed.blocks, limits.blocks * limits.blockTokens),
      dispose,
    });
  } catch (error) {
    dispose();
    throw error;
  }
}

/** It lies with the output. */
function loadedDraft(shares: readonly Share[], loaded: readonly (readonly Rank[])[]): LoadedDraft | undefined {
  const index = shares.findIndex(({ draft }) => draft);
  if (index < 0) return undefined;
  const [output, rank] = loaded[index] as [Rank, Rank];
  return { stage: { ...rangeOf(shares[index]!.draft!), ranks: [rank] }, output };
}

/** A device on its way to hold a part of its share. */
class RankInLoading {
  readonly device: Device;
  readonly share: SharePart;
  readonly #owned: Tensor[] = [];
  readonly #loaded = new Map<string, Tensor>();
  #adapters?: HeldAdapters;
  #memory?: Pick<Rank, 'buffers' | 'bufferShapes' | 'rings' | 'states'>;

  constructor(device: Device, share: SharePart) {
    this.device = device;
    this.share = share;
  }

  /** Takes the memory of states and activations. */
  reserve({ limits }: PlannedModel): void {
    const { network } = this.share;
    const alloc: Device['alloc'] = (...request) => this.#own(this.device.alloc(...request));
    const shapes = bufferShapes(network, limits, this.share);
    this.#memory = {
      bufferShapes: shapes,
      rings: ringsOf(network.blocks.slice(this.share.firstBlock, this.share.endBlock), limits),
      buffers: allocateBuffers(this.device, alloc, shapes, limits),
      states: new HeldStates(this.device, alloc, network, limits, this.share),
    };
  }

  async load(tensor: TensorView, onBytes: (bytes: number) => void): Promise<void> {
    this.#loaded.set(tensor.name, this.#own(await loadTensor(this.device, tensor, onBytes)));
  }

  async loadPairs(adapters: readonly ScaledAdapter[]): Promise<void> {
    const { pairs = [] } = this.share;
    if (pairs.length === 0) return;
    const held = new Map<string, HeldPair[]>();
    for (const { adapter, pair } of pairs) {
      const values = pairValues(pair);
      const a = this.#own(await loadTensor(this.device, values.a, () => {}));
      const b = this.#own(await loadTensor(this.device, values.b, () => {}));
      held.set(pair.weight, [...(held.get(pair.weight) ?? []), { adapter, a, b }]);
    }
    const usual = Float32Array.from(adapters, ({ scale }) => scale);
    this.#adapters = { pairs: held, count: adapters.length, usual };
  }

  finish(): Rank {
    const { network } = this.share;
    return {
      device: this.device,
      network,
      held: new HeldWeights(network, this.#loaded, this.share, (before, dtype, name) =>
        this.#exchange(before, dtype, name),
      ),
      ...this.#memory!,
      ...(this.#adapters && { adapters: this.#adapters }),
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

const rangeOf = ({ firstBlock, endBlock }: Pick<SharePart, 'firstBlock' | 'endBlock'>) => ({ firstBlock, endBlock });

function requireSupport({ blocks }: Network, file: string): void {
  for (const { room } of blocks.flatMap(partsOf)) {
    const why = roomOf(room).unsupported?.(room);
    if (why !== undefined) throw new QuernError('unsupported-model', why, { file });
  }
}
