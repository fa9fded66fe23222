// The group of each input channel (act-order): `g_idx` of GPTQ, `weight_g_idx` of compressed-tensors.
import { QuernError } from '@quern/errors';
import { placeOf, proveDType, proveShape } from './proofs.ts';
import type { StoredTensor } from './stored-tensor.ts';

/**
 * The groups by column, or undefined when they are in order: column c in group ⌊c / groupSize⌋.
 * @throws QuernError `packed-g-idx-out-of-range` when a group does not exist
 */
export async function readGroupIndex(
  index: StoredTensor,
  cols: number,
  groups: number,
  groupSize: number,
): Promise<Int32Array | undefined> {
  proveDType(index, 'I32');
  proveShape(index, [cols], `a weight of ${cols} columns`);
  const groupOf = new Int32Array(cols);
  await index.readRows(0, 1, new Uint8Array(groupOf.buffer));
  let inOrder = true;
  for (let c = 0; c < cols; c++) {
    if (groupOf[c] < 0 || groupOf[c] >= groups) {
      throw new QuernError(
        'packed-g-idx-out-of-range',
        `${index.name} puts column ${c} into group ${groupOf[c]}; there are ${groups} groups.`,
        placeOf(index),
      );
    }
    if (groupOf[c] !== Math.floor(c / groupSize)) inOrder = false;
  }
  return inOrder ? undefined : groupOf;
}
