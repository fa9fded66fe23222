// The pairs of an architecture record for one block: full tensor names, only what the model has, and for every weight to
// be quantized the name under which its input is observed.

import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { architectureOf, type ScalingPair } from '@quern/models';

export interface LayerPair {
  readonly prev: string;
  readonly layers: readonly string[];
  readonly followers: readonly string[];
  readonly inspect: ScalingPair['inspect'];
  /** The weight whose observation shows the whole input that is scaled. */
  readonly input: string;
  /** Whether AutoAWQ scales it; the weights are quantized all the same. */
  readonly scaled: boolean;
}

export interface QuantizedWeight {
  readonly name: string;
  /** Weight whose observation shows its input. */
  readonly input: string;
  readonly experts: number;
  readonly rows: number;
  readonly cols: number;
}

export const isStack = (tensor: TensorView): boolean => tensor.shape.length > 2;

/** In the order of the search. Blocks of a model differ: of the readers those count that the block has. */
export function layerPairs(view: ModelView, block: number): LayerPair[] {
  const full = (name: string): string => `blk.${block}.${name}.weight`;
  const present = (names: readonly string[]) => names.map(full).filter((name) => view.tensors.has(name));
  return architectureOf(view).awq.flatMap(({ prev, inspect, sameShape, ...pair }): LayerPair[] => {
    const [layers, followers] = [present(pair.layers), present(pair.followers ?? [])];
    const [first] = layers;
    if (first === undefined) return [];
    const a = view.tensors.get(full(prev))!.shape;
    const b = view.tensors.get(first)!.shape;
    return [
      {
        ...{ prev: full(prev), layers, followers, inspect },
        input: followers[0] ?? first,
        scaled: !sameShape || a.join() === b.join(),
      },
    ];
  });
}

/** All weights of the block that are quantized. */
export function quantizedWeights(view: ModelView, block: number): QuantizedWeight[] {
  return layerPairs(view, block).flatMap(({ layers, input }) => {
    const stack = layers.find((name) => isStack(view.tensors.get(name)!));
    return layers.map((name) => {
      const tensor = view.tensors.get(name)!;
      const experts = isStack(tensor) ? tensor.shape[0]! : 1;
      // An expert sees only the rows that are routed to it.
      return { name, input: isStack(tensor) ? stack! : input, experts, rows: tensor.rows / experts, cols: tensor.cols };
    });
  });
}

/** Embedding and head, for formats that pack them; they are rounded to nearest whatever the method. */
export const outsideWeights = (view: ModelView): QuantizedWeight[] =>
  ['token_embd.weight', 'output.weight'].flatMap((name) => {
    const tensor = view.tensors.get(name);
    return tensor ? [{ name, input: name, experts: 1, rows: tensor.rows, cols: tensor.cols }] : [];
  });

/**
 * @throws QuernError `group-size-indivisible` naming the first weight whose rows the group size does not divide, and how many there are
 */
export function requireGroups(weights: readonly QuantizedWeight[], groupSize: number, file: string): void {
  const bad = weights.filter(({ cols }) => cols % groupSize !== 0);
  if (bad.length === 0) return;
  const fitting = [128, 64, 32].filter((size) => weights.every(({ cols }) => cols % size === 0));
  throw new QuernError(
    'group-size-indivisible',
    `Groups of ${groupSize} do not divide the rows of ${bad.length} tensors, the first of them with ${bad[0]!.cols} columns.`,
    {
      file,
      tensor: bad[0]!.name,
      remedy:
        fitting.length > 0 ? `Use --group-size ${fitting[0]}.` : 'No group size of 128, 64 or 32 divides them all.',
    },
  );
}
