// What the lens does to the rows of a weight (renaming, reordering, stacking, cutting), it does to all forms of a packed
// one: to its values, and to the blocks of ggml types with the same codes. Rows are never cut within, so blocks stay whole.
import type { PackedForm, TensorView } from '@quern/checkpoint';

/**
 * `change` applied to the values of `views`, and to every form that all of them have.
 * @param change makes one view of as many as are given; it may not depend on their dtype
 */
export function inEveryForm(
  views: readonly TensorView[],
  change: (views: readonly TensorView[]) => TensorView,
): TensorView {
  // Groups of codes are those of the rows of the checkpoint: they are left out.
  const { packed: _, ...values } = change(views);
  const [first, ...others] = views.map(({ packed }) => packed);
  if (!first || others.some((packed) => packed?.format !== first.format)) return values;
  const exact = first.exact.flatMap((form): PackedForm[] => {
    const same = views.map(({ packed }) => packed!.exact.find(({ dtype }) => dtype === form.dtype));
    if (same.some((found) => !found)) return [];
    const rounded = same.filter((found) => found!.values === 'scales-rounded');
    const proofs = rounded.flatMap((found) => found!.provesSame ?? []);
    return [
      {
        dtype: form.dtype,
        values: rounded.length > 0 ? 'scales-rounded' : 'same',
        ...(rounded.length > 0 && proofs.length === rounded.length && { provesSame: () => allProve(proofs) }),
        view: change(same.map((found) => found!.view)),
      },
    ];
  });
  const before = views.reduce((sum, { rows }) => sum + rows, 0);
  const storedBytes = views.reduce((sum, { packed }) => sum + packed!.storedBytes, 0) * (values.rows / before);
  return { ...values, packed: { format: first.format, storedBytes: Math.round(storedBytes), exact } };
}

async function allProve(proofs: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  for (const prove of proofs) if (!(await prove())) return false;
  return true;
}
