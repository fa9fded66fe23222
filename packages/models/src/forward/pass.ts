// One batch on its way through the blocks of one device.
import type { Device, Tensor } from '@quern/runtime';
import type { AdapterPass } from './adapters/adapter-pass.ts';
import type { RopeSpec } from './rope.ts';

/** What the blocks of one batch share. */
export interface BatchPass {
  readonly device: Device;
  /** A view of this batch's size: `residual` [T, C], `positions` [T], `seqs` [T], `slots` [S]. */
  buffer(name: string): Tensor;
  /** Where keys and values of a layer with, or without, a window are: [S, tableWidth]. */
  blockTable(window: number | undefined): Tensor;
  /** cos and sin [T, dims / 2] of the batch's positions. */
  ropeTable(rope: RopeSpec): { readonly cos: Tensor; readonly sin: Tensor };
  readonly blockTokens: number;
  /**
   * Called with the weight and the input of every matmul, before it runs; `ids` [T, used] for a stack of experts, as
   * matmulExperts takes them.
   */
  readonly observe?: (weight: Tensor, input: Tensor, ids?: Tensor) => void;
  /** What adapters add to the matmuls of the tokens of this batch. */
  readonly adapters?: AdapterPass;
  /** GGUF name of a weight. */
  readonly nameOf: (weight: Tensor) => string;
}

/** Every matmul of a block goes through here or `projectExperts`, so that an observer misses none, and no adapter. */
export function project(
  { device, observe, adapters, nameOf }: BatchPass,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  y: Tensor,
): void {
  observe?.(weight, x);
  device.run('matmul', bias ? [x, weight, bias] : [x, weight], y, {});
  adapters?.addTo(y, nameOf(weight), x);
}

/** y [T·used, R] = x [T or T·used, C] · weight [experts, R, C] of the experts in `ids` [T, used]. */
export function projectExperts(
  { device, observe, adapters, nameOf }: BatchPass,
  x: Tensor,
  weight: Tensor,
  ids: Tensor,
  y: Tensor,
): void {
  observe?.(weight, x, ids);
  device.run('matmulExperts', [x, weight, ids], y, {});
  adapters?.addToExperts(y, nameOf(weight), x, ids);
}
