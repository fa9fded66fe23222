// What a checkpoint stores of tensors of GGUF: stacks one by one, changes undone, parts of one tensor joined again. The way
// there is ../lens/gguf-tensor.ts.
import type { TensorView } from '@quern/checkpoint';
import type { ExpectedTensor } from '../arch/expected-tensors.ts';
import { sliceOf } from '../change/joined.ts';
import { mappedValues } from '../change/mapped-values.ts';
import { joinedParts } from '../change/part.ts';

/** A tensor of GGUF and what is known of it. */
export interface FoundTensor {
  readonly entry: ExpectedTensor;
  readonly tensor: TensorView;
}

/**
 * Tensors of the checkpoint, in the order of `found`; a tensor of several parts stands where its first part does.
 * @returns undefined for a part whose companions are missing: names of all that are incomplete
 */
export function storedTensors(found: readonly FoundTensor[]): { tensors: TensorView[]; incomplete: string[] } {
  const parts = new Map<string, FoundTensor[]>();
  for (const one of found) {
    if (!one.entry.rule.stored?.part) continue;
    const { name } = one.entry.sources[0]!;
    parts.set(name, [...(parts.get(name) ?? []), one]);
  }
  const tensors: TensorView[] = [];
  const incomplete: string[] = [];
  for (const one of found) {
    const { rule, sources } = one.entry;
    if (!rule.stored) continue;
    const { part } = rule.stored;
    if (!part) {
      tensors.push(...apart(one));
      continue;
    }
    const { name, shape } = sources[0]!;
    const all = parts.get(name)!;
    if (all[0] !== one) continue;
    const inOrder = part.of.map((_, index) => all.find(({ entry }) => entry.rule.stored!.part!.index === index));
    if (inOrder.some((piece) => piece === undefined)) {
      incomplete.push(name);
      continue;
    }
    const views = ofOneType(inOrder.map((piece) => undone(piece!, piece!.tensor, piece!.entry.shape)));
    tensors.push(joinedParts(views, part, shape, one.entry.place.sizes, name));
  }
  return { tensors, incomplete };
}

/** One tensor, or several: experts of a stack, tensors that follow one another. */
function apart(one: FoundTensor): TensorView[] {
  const { rule, sources, shape, place } = one.entry;
  const { name } = rule.stored!;
  if (typeof name === 'string' && !name.includes('{j}'))
    return [{ ...undone(one, one.tensor, shape), name: sources[0]!.name }];
  let first = 0;
  return sources.map((source, i) => {
    const piece = typeof name === 'string' ? shape.slice(1) : [place.sizes[name[i]!.rows]!, ...shape.slice(1)];
    const slice = sliceOf(one.tensor, source.name, first, piece);
    first += piece.length === 1 && shape.length === 1 ? slice.cols : slice.rows;
    return { ...undone(one, slice, piece), name: source.name };
  });
}

/** The changes of its rule, undone from the last to the first. */
function undone({ entry: { rule, place } }: FoundTensor, tensor: TensorView, shape: readonly number[]): TensorView {
  let [view, after] = [tensor, shape];
  for (const change of [...(rule.stored!.changes ?? [])].reverse()) {
    after = change.storedShape(after, place);
    view = change.toCheckpoint(view, place, after);
  }
  return view;
}

/** Parts may be quantized as different types; rows of one tensor may not. */
function ofOneType(views: readonly TensorView[]): readonly TensorView[] {
  const same = views.every(({ dtype }) => dtype === views[0]!.dtype);
  return same ? views : views.map((view) => mappedValues(view, (value) => value));
}
