// Rows of q and k as transformers has them. Mistral's own files keep the two numbers that rope turns together in
// neighbouring rows of a head, transformers keeps them half a head apart.
import { gatheredRows } from '../gathered-rows.ts';
import type { TensorView } from '../model-view.ts';

/** The tensors with q and k in the order of transformers; other tensors as they are. */
export function headsInHalves(
  tensors: ReadonlyMap<string, TensorView>,
  { heads, kvHeads }: { readonly heads: number; readonly kvHeads: number },
): ReadonlyMap<string, TensorView> {
  const countOf = (name: string): number | undefined => {
    if (/^model\.layers\.\d+\.self_attn\.q_proj\.weight$/.test(name)) return heads;
    return /^model\.layers\.\d+\.self_attn\.k_proj\.weight$/.test(name) ? kvHeads : undefined;
  };
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const count = countOf(name);
      // A shape that is no heads is refused by whoever knows the model's sizes.
      const isHeads = count !== undefined && tensor.shape.length === 2 && tensor.rows % (2 * count) === 0;
      return [name, isHeads ? inHalves(tensor, tensor.rows / count) : tensor];
    }),
  );
}

function inHalves(tensor: TensorView, headRows: number): TensorView {
  const half = headRows / 2;
  const view = gatheredRows(tensor.name, tensor.shape, [tensor], (row) => {
    const within = row % headRows;
    return { tensor: 0, row: row - within + 2 * (within % half) + Math.floor(within / half) };
  });
  // Its codes are in the old order.
  return tensor.packed ? { ...view, packed: { ...tensor.packed, exact: [], readGroups: undefined } } : view;
}
