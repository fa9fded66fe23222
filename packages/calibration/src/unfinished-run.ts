// What a stopped calibration leaves: <output>.unfinished, an importance matrix like any other with one more key that says
// which run it belongs to. It is replaced as a whole at each save, so that it is whole whenever the process dies.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { openGguf } from '@quern/gguf';
import { writeGgufImatrix } from './imatrix/gguf-imatrix.ts';
import type { ImportanceMatrix } from './imatrix/importance-matrix.ts';
import { readImatrix } from './imatrix/open-imatrix.ts';
import type { CalibrationPlan } from './plan.ts';

const identityKey = 'quern.calibration.run';
/** Raise it when the same run gives other sums, so that old files are not continued. */
const sumsVersion = 1;

export class UnfinishedRun {
  readonly path: string;
  private readonly identity: string;

  constructor(output: string, identity: string) {
    this.path = `${output}.unfinished`;
    this.identity = identity;
  }

  /**
   * What the same run had measured before it was stopped, if there is such a thing.
   * @param maxChunks more than these are too many to go on from
   */
  async resume(maxChunks: number, onNote?: (text: string) => void): Promise<ImportanceMatrix | undefined> {
    if (!existsSync(this.path)) return undefined;
    try {
      if ((await this.savedIdentity()) === this.identity) {
        const matrix = await readImatrix(this.path);
        const { chunkCount } = matrix;
        const fits = chunkCount <= maxChunks;
        onNote?.(
          fits
            ? `Going on after ${chunkCount} chunks that an earlier run has done.`
            : `An earlier run has done ${chunkCount} chunks already, more than wanted: starting over.`,
        );
        return fits ? matrix : undefined;
      }
      onNote?.(`${this.path} belongs to another model, text or setting: starting over.`);
    } catch (error) {
      if (!(error instanceof QuernError)) throw error;
      onNote?.(`${this.path} cannot be continued: ${error.message} Starting over.`);
    }
    return undefined;
  }

  async save(matrix: ImportanceMatrix): Promise<void> {
    await writeGgufImatrix(this.path, matrix, new Map([[identityKey, { type: 'string', value: this.identity }]]));
  }

  async discard(): Promise<void> {
    await rm(this.path, { force: true });
  }

  private async savedIdentity(): Promise<unknown> {
    const gguf = await openGguf(this.path);
    try {
      return gguf.metadata.get(identityKey)?.value;
    } finally {
      await gguf.close();
    }
  }
}

/**
 * The model (names, types and places of its tensors; size and time of its files), the tokens, and what of the settings
 * changes the sums. The number of chunks does not, unless it depends on what is measured (`minimumRows`): a longer run may
 * go on from a shorter one.
 */
export async function runIdentity(
  view: ModelView,
  { processOutput = false, texts, minimumRows, maxChunks }: CalibrationPlan,
  chunks: readonly Int32Array[],
): Promise<string> {
  const end = minimumRows === undefined ? undefined : [minimumRows, maxChunks];
  const names = texts.map(({ name }) => name);
  const hash = createHash('sha256').update(JSON.stringify([sumsVersion, processOutput, names, end]));
  const files = new Set<string>();
  for (const { name, dtype, shape, file, offset } of view.tensors.values()) {
    hash.update(JSON.stringify([name, dtype.name, shape, file, offset]));
    files.add(file);
  }
  for (const file of files) {
    const its = await stat(file).catch(() => undefined);
    hash.update(JSON.stringify([file, its?.size, its?.mtimeMs]));
  }
  for (const chunk of chunks) hash.update(`${chunk.length} `).update(chunk);
  return hash.digest('hex');
}
