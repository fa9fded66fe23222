// What is asked of one block, and what comes of it.
import type { ModelView } from '@quern/checkpoint';
import type { GroupedRows } from '@quern/packed';
import type { Device } from '@quern/runtime';
import type { PairScales } from '../fold/pair-scales.ts';
import type { Grid } from '../grid/grid.ts';
import type { InputObserver } from '../layer/input-observer.ts';
import type { QuantizedWeight } from '../layer/layer-pairs.ts';
import type { HostWeight } from '../layer/layer-weights.ts';

export type Method =
  | { readonly name: 'awq'; readonly clip: boolean }
  | { readonly name: 'gptq'; readonly actOrder: boolean; readonly freeGroups: boolean; readonly damp: number }
  | { readonly name: 'rtn' }
  /** Only look for scales. */
  | { readonly name: 'scales' };

export interface LayerTask {
  readonly view: ModelView;
  readonly device: Device;
  readonly block: number;
  readonly grid: Grid;
  readonly method: Method;
  readonly onStep?: () => Promise<void>;
}

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

/** Experts with fewer calibration tokens than this are reported: what is known of their inputs is little. */
export const fewTokens = 128;

/** All stacks of a block get the same tokens: the first of `weights` that is one tells of all. */
export function starvedExperts(observer: InputObserver, weights: readonly QuantizedWeight[]): LayerResult['starved'] {
  const stack = weights.find(({ experts }) => experts > 1);
  if (!stack) return [];
  return observer
    .of(stack.input)
    .flatMap(({ rows: tokens }, expert) => (tokens < fewTokens ? [{ tensor: stack.input, expert, tokens }] : []));
}
