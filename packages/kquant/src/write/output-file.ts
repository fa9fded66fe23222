// The file being written, with a journal beside its partial file: a killed or failed run is resumed tensor by tensor.
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { createFileSink, type FileSink, partialPathOf, writeError } from '@quern/source';
import { journalHead, journalLines, readJournal } from './journal.ts';

export interface OutputFile {
  /** Units (tensors) that an earlier run left complete. */
  readonly finished: ReadonlySet<string>;
  /** Writes all of `bytes` at `offset`. Writes may overlap in time. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** All bytes of this unit are written: note it in the journal as soon as they are on disk. */
  finishUnit(name: string): void;
  /** Puts everything on disk and gives the file its name. */
  commit(): Promise<void>;
  /** Gives up; `keep` leaves the partial file and its journal for a later run. */
  abandon(options: { keep: boolean }): Promise<void>;
}

export interface OutputOptions {
  /** Total size in bytes. */
  size: number;
  /** Changes with anything that changes the bytes. */
  identity: string;
  /** How much is written between two journal entries: what a crash may cost. Default 256 MiB. */
  journalBytes?: number;
  onNote?: (text: string) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
}

const journalPathOf = (path: string): string => `${partialPathOf(path)}.journal`;

/**
 * Opens or resumes the partial file of `path`.
 * @throws QuernError those of `createFileSink`
 */
export async function openOutput(path: string, options: OutputOptions): Promise<OutputFile> {
  const { size, identity, onNote, onUnfinished } = options;
  const partial = partialPathOf(path);
  const left = await stat(partial).catch(() => undefined);
  const finished = left?.size === size ? await readJournal(journalPathOf(path), identity) : undefined;
  if (left && !finished) onNote?.(`Discarding ${partial}: it belongs to another input or plan.`);
  if (finished) onNote?.(`Resuming ${partial}: ${finished.size} tensors are complete.`);
  else await rm(journalPathOf(path), { force: true });

  onUnfinished?.(partial, journalPathOf(path));
  const sink = await createFileSink(path, size, { resume: finished !== undefined, resumable: true });
  let journal: FileHandle | undefined;
  try {
    journal = await open(journalPathOf(path), finished ? 'a' : 'wx');
    if (!finished) await journal.appendFile(journalHead(identity));
  } catch (error) {
    await journal?.close();
    await (finished ? sink.suspend() : sink.abort());
    throw writeError(path, size, error);
  }
  return journaled(sink, journal, finished ?? new Set(), options.journalBytes);
}

function journaled(
  sink: FileSink,
  journal: FileHandle,
  finished: ReadonlySet<string>,
  journalBytes = 2 ** 28,
): OutputFile {
  const journalPath = journalPathOf(sink.path);
  let waiting: string[] = [];
  let unsaved = 0;
  let saving: Promise<void> = Promise.resolve();

  const save = async (): Promise<void> => {
    const names = waiting;
    waiting = [];
    unsaved = 0;
    await sink.sync();
    await journal.appendFile(journalLines(names)).catch((error) => {
      throw writeError(sink.path, sink.size, error, { resumable: true });
    });
  };
  const saveInTurn = (): Promise<void> => (saving = saving.then(save));

  return {
    finished,
    async write(bytes, offset) {
      await sink.write(bytes, offset);
      unsaved += bytes.length;
    },
    finishUnit(name) {
      waiting.push(name);
      // A failing save is reported by the commit, which waits for it; here it must not be an unhandled rejection.
      if (unsaved >= journalBytes) saveInTurn().catch(() => {});
    },
    async commit() {
      try {
        await saving;
        await sink.finish();
        await rm(journalPath, { force: true });
      } finally {
        await journal.close();
        await sink.suspend();
      }
    },
    async abandon({ keep }) {
      if (keep) await saveInTurn().catch(() => {});
      await journal.close();
      if (keep) return sink.suspend();
      await sink.abort();
      await rm(journalPath, { force: true });
    },
  };
}
