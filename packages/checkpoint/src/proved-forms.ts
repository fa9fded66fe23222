// Which forms of packed weights hold the very same values, where headers cannot tell: the scales are read.
import type { PackedForm, TensorView } from './model-view.ts';

/**
 * The model with every form's `values` proved. Reads scales that are not stored as F16, one tensor after the other, once
 * per opened checkpoint; nothing of models that are not packed. Whoever chooses among forms asks before.
 * @throws QuernError `packed-scale-not-finite`
 */
export async function withProvedForms<Model extends { readonly tensors: ReadonlyMap<string, TensorView> }>(
  model: Model,
): Promise<Model> {
  const tensors = new Map<string, TensorView>();
  let proved = false;
  for (const [name, tensor] of model.tensors) {
    const exact: PackedForm[] = [];
    for (const form of tensor.packed?.exact ?? []) exact.push(form.provesSame ? await provedForm(form) : form);
    const changed = exact.some((form, i) => form !== tensor.packed!.exact[i]);
    tensors.set(name, changed ? { ...tensor, packed: { ...tensor.packed!, exact } } : tensor);
    proved ||= changed;
  }
  return proved ? { ...model, tensors } : model;
}

async function provedForm({ provesSame, ...form }: PackedForm): Promise<PackedForm> {
  return { ...form, values: (await provesSame?.()) ? 'same' : 'scales-rounded' };
}
