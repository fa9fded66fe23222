// Importance of tensors as they are written, one at a time: that of a large mixture of experts fills a gigabyte.
import { QuernError } from '@quern/errors';
import type { ImportanceSource } from '../importance/open-importance.ts';
import { sourceNameOf, type TensorPlan } from '../plan/plan.ts';

/** Reads what the plan uses, and tells in the end of experts that no token reached. */
export function importanceReader(source: ImportanceSource | undefined, onNote?: (text: string) => void) {
  const unreached: string[] = [];
  return {
    /** [matrices, cols]. @throws QuernError `imatrix-gone` when the plan was made with a matrix that is not given */
    async of(tensor: TensorPlan): Promise<Float32Array | undefined> {
      if (tensor.importance !== 'used') return undefined;
      const name = sourceNameOf(tensor);
      const found = await source?.importanceOf(name);
      if (!found)
        throw new QuernError('imatrix-gone', 'The plan wants an importance matrix that is not there.', {
          file: source?.path,
          tensor: name,
        });
      if (found.neverFired.length > 0) unreached.push(`${name} (${found.neverFired.length})`);
      return found.values;
    },
    tell(): void {
      if (unreached.length === 0) return;
      const [first] = unreached;
      const more = unreached.length > 1 ? ` and ${unreached.length - 1} more tensors` : '';
      onNote?.(`note: no token reached some experts of ${first}${more}: all their columns count the same.`);
    },
  };
}
