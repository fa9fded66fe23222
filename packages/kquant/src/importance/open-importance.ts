// An importance matrix for quantizing: opened, proved to belong to the model, cut down to the weights asked for.
//
// @quern/calibration brings the whole engine with it, so it is loaded only when there is a matrix to read.
import type { ImatrixFile } from '@quern/calibration';
import { QuernError } from '@quern/errors';
import type { PlannedImatrix } from '../plan/importance.ts';
import type { PlanInput } from '../plan/plan-types.ts';

export interface ImportanceSource extends PlannedImatrix {
  /** Mean squares of the inputs of a tensor, [matrices, cols], and the matrices (experts) that no token reached. */
  importanceOf(tensor: string): Promise<{ values: Float32Array; neverFired: readonly number[] } | undefined>;
  /** Entries that name no tensor of the model. */
  readonly unknown: readonly string[];
  close(): Promise<void>;
}

export interface ImportanceChoice {
  /** Parts of names: use the matrix for these tensors alone, or for all but these. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/**
 * Opens `path` for `view`.
 * @throws QuernError `imatrix-other-model`, `imatrix-bad-count`, `imatrix-bad-sum`, `usage-weights` for a part of a name
 *   that fits no entry, and those of `openImatrix`
 */
export async function openImportance(
  path: string,
  view: PlanInput,
  { include = [], exclude = [] }: ImportanceChoice = {},
): Promise<ImportanceSource> {
  if (include.length > 0 && exclude.length > 0)
    throw new QuernError('usage-weights', '--include-weights and --exclude-weights exclude each other.');
  const { entryImportance, matchModel, openImatrix } = await import('@quern/calibration');
  const file: ImatrixFile = await openImatrix(path);
  try {
    const unknown = matchModel(file.entries, view.tensors, path);
    for (const part of [...include, ...exclude]) requireFits(part, file);
    const wanted = (name: string) =>
      include.length > 0 ? include.some((part) => name.includes(part)) : !exclude.some((part) => name.includes(part));
    const entries = new Map([...file.entries].filter(([name]) => wanted(name)));
    // A number that makes no sense is found before hours of work, not at its tensor.
    for (const name of entries.keys()) await file.read(name);
    return {
      path,
      datasets: file.datasets,
      chunkCount: file.chunkCount,
      entries,
      unknown,
      importanceOf: async (tensor) => (entries.has(tensor) ? entryImportance(await file.read(tensor)) : undefined),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function requireFits(part: string, file: ImatrixFile): void {
  if ([...file.entries.keys()].some((name) => name.includes(part))) return;
  throw new QuernError('usage-weights', `No entry of the importance matrix has '${part}' in its name.`, {
    file: file.path,
  });
}
