// Decides which device holds which layers, and proves that they fit, from headers alone: nothing is read or allocated.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { requireAdaptable } from '../forward/adapters/adaptable.ts';
import { type BatchLimits, type BatchSizes, batchLimits } from '../forward/batch-limits.ts';
import { describeCacheTypes, requireWholeHeads } from '../forward/cache-types.ts';
import { withDraftBlocks } from '../forward/draft/draft-weights.ts';
import { wantedTensors } from '../forward/network-tensors.ts';
import { networkOf } from '../network-of.ts';
import { unbindable } from './binding.ts';
import { bytesOf, type Placement, type PlacementOptions, splitModes } from './placement.ts';
import { bytesOfShare, type PlannedModel, type Share, sharedAcross, shareOfLayers, sharesByRows } from './shares.ts';

/** What planning knows of a device. */
export interface DeviceCapacity {
  readonly name: string;
  readonly limits: { readonly memoryBytes: number; readonly bindingBytes?: number };
}

/** Of what a `'fill'` device can hold, it is filled to this share: whoever uses the model allocates a little too. */
const FILLED = 0.98;

/**
 * Where `loadModel` with the same arguments will put the model.
 * @throws QuernError `model-too-large` and `device-binding-limit` with the numbers, `placement-invalid`, `placement-not-divisible`,
 *   `load-option-invalid`, `cache-type-unsupported`, `no-draft-blocks`, and those of `networkOf` and `wantedTensors`
 */
export function planPlacement(
  view: ModelView,
  devices: readonly DeviceCapacity[],
  options: BatchSizes & PlacementOptions,
): Placement {
  return planShares(plannedModel(view, options), devices, options).placement;
}

export function plannedModel(view: ModelView, sizes: BatchSizes): PlannedModel {
  const network = networkOf(view);
  const limits = batchLimits(sizes);
  const { draft = false, adapters = [] } = sizes;
  if (draft && network.draft.length === 0)
    throw new QuernError('no-draft-blocks', 'The model has no blocks that guess further tokens (MTP).', {
      file: view.path,
      remedy: 'Many conversions leave them out: convert the checkpoint again with --mtp keep, or do without them.',
    });
  requireWholeHeads(limits.cacheTypes, draft ? withDraftBlocks(network) : network, view.path);
  for (const { adapter } of adapters) requireAdaptable(network, adapter);
  return { network, tensors: wantedTensors(view, network), limits, adapters, draft, file: view.path };
}

export interface Plan {
  readonly placement: Placement;
  /** In the order of `placement.devices`. */
  readonly shares: readonly Share[];
}

export function planShares(model: PlannedModel, devices: readonly DeviceCapacity[], options: PlacementOptions): Plan {
  const { split = 'layer' } = options;
  if (!splitModes.includes(split)) throw invalid(`no split mode is called ${split} (known: ${splitModes.join(', ')})`);
  if (devices.length === 0) throw invalid('no device was given');
  if (split === 'row' && options.layers) throw invalid('split by rows, every device takes part of every layer');
  if (split === 'row' && devices.length > 1 && model.adapters.length > 0)
    throw invalid('adapters are not divided by rows; split the model by layers');
  const shares = split === 'row' ? sharesByRows(model, devices.length) : sharesByLayers(model, devices, options.layers);
  const placed = shares.map((share) => {
    const { name, limits } = devices[share.device]!;
    const { firstBlock, endBlock, embedding, output } = share;
    const bytes = bytesOfShare(share, model.limits);
    const drafts = share.draft ? share.draft.endBlock - share.draft.firstBlock : 0;
    const range = { firstBlock, endBlock, embedding, output, draftBlocks: drafts };
    return { device: name, ...range, ...bytes, memoryBytes: limits.memoryBytes };
  });
  const overfull = placed.find((share) => bytesOf(share) > share.memoryBytes);
  if (overfull)
    throw tooLarge(
      model,
      `The model needs ${bytesOf(overfull)} bytes on the ${overfull.device} device (${detailsOf(overfull, model.limits)}); ` +
        `the device may hold ${overfull.memoryBytes}.`,
    );
  for (const { firstBlock, endBlock } of shares) {
    const shared = sharedAcross(model.network, firstBlock, endBlock);
    if (shared)
      throw invalid(`block ${shared.block} uses the keys and values of block ${shared.of}, on another device`);
  }
  for (const share of shares) {
    const what = unbindableOn(share, devices[share.device]!, model);
    if (what) throw aboveBinding(model, what);
  }
  return { placement: { split, devices: placed }, shares };
}

/** What of a share a device cannot bind, with the numbers; undefined when there is nothing. */
function unbindableOn(share: Share, { name, limits }: DeviceCapacity, model: PlannedModel): string | undefined {
  const { bindingBytes } = limits;
  const what = bindingBytes === undefined ? undefined : unbindable(share, model.limits, bindingBytes);
  return what && `${what}; the ${name} device binds ${bindingBytes} at a time`;
}

function sharesByLayers(
  model: PlannedModel,
  devices: readonly DeviceCapacity[],
  layers: PlacementOptions['layers'],
): Share[] {
  const layerCount = model.network.blocks.length + 1;
  const wanted = layers ?? devices.map((_, i) => evenly(layerCount, devices.length, i));
  const fixed = wanted.reduce<number>((sum, count) => sum + (count === 'fill' ? 0 : count), 0);
  const wholes = wanted.every((count) => count === 'fill' || (Number.isInteger(count) && count >= 0));
  if (
    wanted.length !== devices.length ||
    !wholes ||
    fixed > layerCount ||
    (fixed < layerCount && !wanted.includes('fill'))
  )
    throw invalid(`${wanted.join(' + ')} layers on ${devices.length} devices; the model has ${layerCount}`);

  const shares: Share[] = [];
  let end = layerCount;
  let open = layerCount - fixed; // for those to be filled
  for (let device = devices.length - 1; device >= 0; device--) {
    const count = wanted[device]!;
    const taken = count === 'fill' ? mostLayers(model, devices[device]!, device, end, open) : count;
    if (count === 'fill') open -= taken;
    if (taken > 0) shares.unshift(shareOfLayers(model, device, end - taken, end));
    end -= taken;
  }
  if (open > 0) throw noRoom(model, devices);
  return shares;
}

/** Part `i` when `total` is divided into `parts` that differ by one at most. */
export const evenly = (total: number, parts: number, i: number): number =>
  Math.floor((total * (i + 1)) / parts) - Math.floor((total * i) / parts);

/** How many of the layers before `end`, `open` at most, a device can hold. */
function mostLayers(model: PlannedModel, capacity: DeviceCapacity, device: number, end: number, open: number): number {
  const fits = (count: number): boolean => {
    const share = shareOfLayers(model, device, end - count, end);
    const { weightBytes, kvBytes, activationBytes } = bytesOfShare(share, model.limits);
    const bytes = weightBytes + kvBytes + activationBytes;
    return bytes <= FILLED * capacity.limits.memoryBytes && !unbindableOn(share, capacity, model);
  };
  let [most, tooMany] = [0, open + 1];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (fits(middle)) most = middle;
    else tooMany = middle;
  }
  while (most > 0 && sharedAcross(model.network, end - most, end)) most--;
  return most;
}

function noRoom(model: PlannedModel, devices: readonly DeviceCapacity[]): QuernError {
  const all = shareOfLayers(model, 0, 0, model.network.blocks.length + 1);
  const whole = bytesOfShare(all, model.limits);
  const needed = whole.weightBytes + whole.kvBytes + whole.activationBytes;
  const held = devices.map(({ name, limits }) => `${name} ${limits.memoryBytes}`).join(', ');
  const unbound = devices.flatMap((device) => unbindableOn(all, device, model) ?? []);
  return tooLarge(
    model,
    `The model needs ${needed} bytes (${detailsOf(whole, model.limits)}), and whole layers of it on each device; ` +
      `the devices may hold: ${held}.${unbound.map((what) => ` Of the whole, ${what}.`).join('')}`,
  );
}

function detailsOf(
  { weightBytes, kvBytes, activationBytes }: ReturnType<typeof bytesOfShare>,
  { blocks, blockTokens, batchTokens, cacheTypes }: BatchLimits,
): string {
  const cache = `KV cache (${describeCacheTypes(cacheTypes)}) of ${blocks * blockTokens} tokens ${kvBytes}`;
  return `weights ${weightBytes}, ${cache}, batches of ${batchTokens} tokens ${activationBytes}`;
}

const tooLarge = ({ file }: PlannedModel, message: string): QuernError =>
  new QuernError('model-too-large', message, {
    file,
    remedy:
      'Use a smaller quantization, a shorter context, a smaller type of cache or a smaller batch, or more devices.',
  });

const aboveBinding = ({ file }: PlannedModel, what: string): QuernError =>
  new QuernError('device-binding-limit', `The device cannot compute with this model: ${what}.`, {
    file,
    remedy: 'Leave these layers to the CPU (--device auto or --gpu-layers), or use smaller batches or another device.',
  });

const invalid = (what: string): QuernError => new QuernError('placement-invalid', `Invalid placement: ${what}.`);
