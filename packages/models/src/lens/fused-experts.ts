// transformers 5 holds the experts of a block in two tensors, gate and up joined, and may save them so:
//
//   mlp.experts.gate_up_proj [experts, 2·ff, embd]      of each expert ff rows of gate, then ff rows of up
//   mlp.experts.down_proj    [experts, embd, ff]
//
// Here they become the tensors of the other spelling, one per expert, which the records of architectures name; both
// spellings are then one. Source: transformers conversion_mapping.py (`qwen2_moe`, `mixtral`).
import { checkRowRange, type HfCheckpoint, type TensorView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { Architecture, TensorRule } from '../arch/architecture.ts';
import { inEveryForm } from './packed-forms.ts';

/**
 * The checkpoint with fused tensors taken apart, renamed tensors under the name of their rule, and all others as they are.
 * @throws QuernError `tensors-wrong-shape` when the number of experts or rows cannot be
 */
export function separateExperts(
  checkpoint: HfCheckpoint,
  architecture: Architecture,
  experts: number,
  blocks: number,
): HfCheckpoint {
  const rules = architecture.tensors.filter(({ fused, alias }) => fused || alias);
  if (rules.length === 0) return checkpoint;
  const tensors = new Map<string, TensorView>();
  const replaced = new Map<string, TensorView[]>();
  for (let block = 0; block < blocks; block++) {
    for (const rule of rules) replace(rule, block, checkpoint, experts, replaced);
  }
  for (const [name, tensor] of checkpoint.tensors) {
    const views = replaced.get(name);
    if (!views) tensors.set(name, tensor);
    for (const view of views ?? []) tensors.set(view.name, view);
  }
  return { ...checkpoint, tensors };
}

function replace(
  rule: TensorRule,
  block: number,
  { tensors }: HfCheckpoint,
  experts: number,
  replaced: Map<string, TensorView[]>,
): void {
  const inBlock = (name: string) => name.replace('{i}', String(block));
  const { hf, alias, fused } = rule;
  const renamed = alias === undefined ? undefined : tensors.get(inBlock(alias));
  if (renamed) replaced.set(renamed.name, [{ ...renamed, name: inBlock(hf!) }]);
  const stack = fused && tensors.get(inBlock(fused.hf));
  if (!fused || !stack) return;
  const [count, rows] = stack.shape;
  if (stack.shape.length !== 3 || count !== experts || rows! % fused.of !== 0) {
    throw new QuernError('tensors-wrong-shape', `A stack of ${experts} experts cannot be [${stack.shape}].`, {
      file: stack.file,
      tensor: stack.name,
      offset: stack.offset,
    });
  }
  const each = rows! / fused.of;
  const parts = Array.from({ length: experts }, (_, expert) =>
    inEveryForm([stack], ([view]) =>
      rowsOf(view!, inBlock(hf!).replace('{j}', String(expert)), expert * rows! + fused.part * each, each),
    ),
  );
  replaced.set(stack.name, [...(replaced.get(stack.name) ?? []), ...parts]);
}

/** Rows `first…first + rows` of a stack, as a matrix. */
function rowsOf(stack: TensorView, name: string, first: number, rows: number): TensorView {
  const matrix = { ...stack, name, shape: [rows, stack.cols], rows };
  return {
    ...matrix,
    async readRows(firstRow, rowCount, into) {
      checkRowRange(matrix, firstRow, rowCount, into);
      await stack.readRows(first + firstRow, rowCount, into);
    },
  };
}
