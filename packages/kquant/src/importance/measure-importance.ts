// --imatrix auto: measures the importance matrix of the input with the recipe that comes with quern, once; the file
// stays beside the output, and the next type finds it. Its name has a hash of the input (names, sizes, times) and of
// the recipe's text, so that one made of something else is never taken for it.
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ModelView } from '@quern/checkpoint';
import { sourceIdentity } from '../write/source-identity.ts';

export interface MeasureOptions {
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { done: number; total: number; label: string }) => void;
  readonly onNote?: (text: string) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  readonly onUnfinished?: (...paths: string[]) => void;
}

/** Where the matrix of `view` belongs when `output` is written, and whether it is there. */
export async function measuredPath(view: ModelView, output: string): Promise<{ path: string; there: boolean }> {
  const { loadRecipe } = await import('@quern/calibration');
  const recipe = await loadRecipe('default');
  const files = new Set([...view.tensors.values()].map(({ file }) => file));
  const hash = createHash('sha256')
    .update(`${await sourceIdentity(files)}\n${recipe.corpus.sha256}\n${JSON.stringify(planNumbers(recipe.plan))}`)
    .digest('hex');
  const stem = basename(view.path).replace(/\.gguf$/i, '');
  const path = join(dirname(output), `${stem}.imatrix-${hash.slice(0, 8)}.gguf`);
  return { path, there: (await stat(path).catch(() => undefined)) !== undefined };
}

/** What a recipe says beside its text. */
const planNumbers = ({ texts, ...numbers }: { texts: unknown }): unknown => numbers;

/** @throws QuernError `refused-output-exists` and the others of `runCalibration` */
export async function measureImportance(view: ModelView, path: string, options: MeasureOptions): Promise<void> {
  const { loadRecipe, runCalibration } = await import('@quern/calibration');
  const { plan, name } = await loadRecipe('default');
  const { threads, signal, onProgress, onNote, onUnfinished } = options;
  onNote?.(`Measuring the importance matrix ${path} (recipe ${name}).`);
  await runCalibration(view, plan, path, {
    threads,
    signal,
    onNote,
    onUnfinished,
    onProgress: ({ tokensDone, tokens, chunksDone, chunks }) =>
      onProgress?.({ done: tokensDone, total: tokens, label: `chunk ${chunksDone} of ${chunks}` }),
  });
}
