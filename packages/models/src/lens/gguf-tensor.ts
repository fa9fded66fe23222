// One tensor of GGUF from what a checkpoint stores of it: the part is cut out, the changes of its rule are applied, experts
// are stacked. The way back is ../to-huggingface/stored-tensors.ts.
import type { TensorView } from '@quern/checkpoint';
import { joined } from '../change/joined.ts';
import { partOf } from '../change/part.ts';
import { inEveryForm } from './packed-forms.ts';
import type { MatchedTensor } from './preflight.ts';

export function ggufTensor({ gguf, shape, storage, views, place }: MatchedTensor): TensorView {
  const { name, part, changes = [] } = storage.stored;
  const stack = typeof name === 'string' && name.includes('{j}');
  const inner = stack ? shape.slice(1) : shape;
  /** Shapes after each change, that of the checkpoint (of the part) first. */
  const shapes = [inner];
  for (const change of [...changes].reverse()) shapes.unshift(change.storedShape(shapes[0]!, place));
  const changed = (view: TensorView): TensorView => {
    const cut = part ? partOf(view, part, shapes[0]!, place.sizes) : view;
    return changes.reduce((before, change, i) => change.toGguf(before, place, shapes[i + 1]!), cut);
  };
  const make = (forms: readonly TensorView[]): TensorView => {
    const parts = forms.map(changed);
    return parts.length === 1 && !stack ? { ...parts[0]!, name: gguf } : joined(gguf, parts, shape);
  };
  // Where numbers are computed or move within rows, codes in blocks cannot come along.
  if (changes.every(({ moves }) => moves === 'rows')) return inEveryForm(views, make);
  const { packed: _, ...values } = make(views);
  return values;
}
