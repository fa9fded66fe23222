// The tensors a model of an architecture consists of, with their exact shapes: what preflight demands of a checkpoint
// and what loading demands of a GGUF file.
import type { Place } from '../change/change.ts';
import { wholeShape } from '../change/part.ts';
import type { Architecture } from './architecture.ts';
import { sizesOf } from './dimensions.ts';
import type { ModelNumbers } from './model-numbers.ts';
import type { StoredAs, TensorRule } from './tensor-rule.ts';

/** A tensor of the checkpoint. */
export interface ExpectedSource {
  name: string;
  shape: readonly number[];
}

/** One way in which a checkpoint may store a tensor. */
export interface ExpectedStorage {
  stored: StoredAs;
  /** One tensor, or several: one per expert, or parts that follow one another. */
  sources: readonly ExpectedSource[];
}

export interface ExpectedTensor {
  rule: TensorRule;
  gguf: string;
  shape: readonly number[];
  /** Number of the block it belongs to. */
  block?: number;
  place: Place;
  /** As it is written into a checkpoint; empty when the lens makes it. */
  sources: readonly ExpectedSource[];
  /** All ways, that of `sources` first. */
  storages: readonly ExpectedStorage[];
}

/** Every rule of the record, once per block where it is a block's. */
export function expectedTensors(
  architecture: Pick<Architecture, 'name' | 'tensors' | 'sizes'>,
  numbers: ModelNumbers,
): ExpectedTensor[] {
  const whole: Place = { numbers, sizes: sizesOf(architecture, numbers) };
  const mainBlocks = numbers.blocks - numbers.draftBlocks;
  const blocks = Array.from({ length: numbers.blocks }, (_, block) => ({
    numbers,
    sizes: sizesOf(architecture, numbers, block),
    block,
  }));
  return architecture.tensors.flatMap((rule): ExpectedTensor[] => {
    if (!rule.gguf.includes('{i}')) return (rule.exists?.(numbers) ?? true) ? [expected(rule, whole, mainBlocks)] : [];
    return blocks
      .filter(({ block }) => (block < mainBlocks ? rule.draft !== 'only' : rule.draft !== undefined))
      .filter((place) => rule.blocks?.(place) ?? true)
      .map((place) => expected(rule, place, mainBlocks));
  });
}

function expected(rule: TensorRule, place: Place, mainBlocks: number): ExpectedTensor {
  const { block, sizes } = place;
  const shape = rule.shape.map((dimension) => {
    const size = sizes[dimension];
    if (size === undefined) throw new Error(`${rule.gguf}: no dimension ${dimension}`);
    return size;
  });
  const named = (name: string) =>
    block === undefined ? name : name.replace('{i}', String(block)).replace('{m}', String(block - mainBlocks));
  const ways = rule.stored ? [rule.stored, ...(rule.also ?? [])] : [];
  const storages = ways.map((stored) => ({ stored, sources: sourcesOf(stored, shape, place, named) }));
  return {
    rule,
    gguf: named(rule.gguf),
    shape,
    ...(block !== undefined && { block }),
    place,
    sources: storages[0]?.sources ?? [],
    storages,
  };
}

function sourcesOf(
  stored: StoredAs,
  shape: readonly number[],
  place: Place,
  named: (name: string) => string,
): ExpectedSource[] {
  const { name, part, changes = [] } = stored;
  const before = (after: readonly number[]): readonly number[] => {
    const changed = changes.reduceRight((result, change) => change.storedShape(result, place), after);
    return part ? wholeShape(part, changed, place.sizes) : changed;
  };
  if (typeof name !== 'string')
    return name.map((one) => ({ name: named(one.name), shape: before([place.sizes[one.rows]!, ...shape.slice(1)]) }));
  if (!name.includes('{j}')) return [{ name: named(name), shape: before(shape) }];
  const each = before(shape.slice(1));
  return Array.from({ length: shape[0]! }, (_, j) => ({ name: named(name).replace('{j}', String(j)), shape: each }));
}
