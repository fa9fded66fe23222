// Where the rows of a planned tensor come from: the tensor of the input, or the form of it that holds the same codes.
import type { ModelView, TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { sourceNameOf, type TensorPlan } from '../plan/plan.ts';

/** @throws QuernError `tensor-missing` */
export function sourceView(view: ModelView, tensor: TensorPlan): TensorView {
  const name = sourceNameOf(tensor);
  const found = view.tensors.get(name);
  const form = found && formOf(found, tensor);
  if (form) return form;
  throw new QuernError('tensor-missing', 'The plan names a tensor that the model does not have.', {
    file: view.path,
    tensor: name,
  });
}

/** Undefined when the plan was made for another model. */
export function formOf(view: TensorView, { from, packed }: TensorPlan): TensorView | undefined {
  if (!packed?.codes) return view;
  return view.packed?.exact.find(({ dtype }) => dtype === from)?.view;
}
