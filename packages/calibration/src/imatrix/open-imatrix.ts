// Opening an importance matrix: GGUF, or the .dat format that llama-imatrix wrote before. Only what stands in headers is
// read; the numbers of an entry come when asked for, since those of a large mixture of experts fill a gigabyte.
import { openFile } from '@quern/source';
import { openGgufImatrix } from './gguf-imatrix.ts';
import type { ImportanceEntry, ImportanceMatrix } from './importance-matrix.ts';
import { sortedEntries } from './importance-matrix.ts';
import { openLegacyImatrix } from './legacy-imatrix.ts';

export interface EntryShape {
  /** Counts that the entry has: 1, or one per expert. */
  readonly matrices: number;
  /** Sums in all: matrices · width. */
  readonly length: number;
}

export interface ImatrixFile {
  readonly path: string;
  /**
   * `dat`: an entry has one count whatever the weight is, in calls of chunkSize (which the file does not say) rows, and
   * its sums are mean · calls.
   */
  readonly format: 'gguf' | 'dat';
  readonly datasets: readonly string[];
  readonly chunkCount: number;
  /** 0 when unknown. */
  readonly chunkSize: number;
  readonly entries: ReadonlyMap<string, EntryShape>;
  /** @throws QuernError `imatrix-entry-missing`, `imatrix-bad-count`, `imatrix-bad-sum` */
  read(tensorName: string): Promise<ImportanceEntry>;
  close(): Promise<void>;
}

/**
 * @throws QuernError `imatrix-not-recognized`, `imatrix-empty`, `imatrix-metadata-missing`, `imatrix-half-entry`,
 *   `imatrix-bad-shape`, `imatrix-bad-type`, `imatrix-truncated`, `imatrix-duplicate-entry`, and those of `openGguf` and
 *   `openFile`
 */
export async function openImatrix(path: string): Promise<ImatrixFile> {
  const source = await openFile(path);
  try {
    const magic = source.size >= 4 ? new TextDecoder().decode(await source.read(0, 4)) : '';
    return magic === 'GGUF' ? await openGgufImatrix(source) : await openLegacyImatrix(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** The whole importance matrix in memory. @throws QuernError those of `openImatrix` and its `read` */
export async function readImatrix(path: string): Promise<ImportanceMatrix> {
  const file = await openImatrix(path);
  try {
    const entries: [string, ImportanceEntry][] = [];
    for (const name of file.entries.keys()) entries.push([name, await file.read(name)]);
    const { datasets, chunkCount, chunkSize } = file;
    return { datasets, chunkCount, chunkSize, entries: sortedEntries(entries) };
  } finally {
    await file.close();
  }
}
