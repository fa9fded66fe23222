// The file being written. It lives as `<out>.partial` until every byte of it is on disk, then it is renamed: nothing
// half-written ever has the final name. With its journal a killed or failed run is resumed tensor by tensor.
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { QuernError } from '@quern/errors';
import { journalHead, journalLines, readJournal } from './journal.ts';
import { throwWriteError } from './write-errors.ts';

export interface OutputFile {
  /** Tensors that an earlier run left complete. */
  readonly finished: ReadonlySet<string>;
  /** Writes all of `bytes` at `offset`. Writes may overlap in time. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** All bytes of this tensor are written: note it in the journal as soon as they are on disk. */
  finishTensor(name: string): void;
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
}

export const partialPath = (path: string): string => `${path}.partial`;
const journalPath = (path: string): string => `${path}.partial.journal`;

/**
 * Opens or resumes the partial file of `path`.
 * @throws QuernError `disk-full`, `file-too-large`, `write-denied`, `write-failed`
 */
export async function openOutput(path: string, options: OutputOptions): Promise<OutputFile> {
  try {
    return await openPartial(path, options);
  } catch (error) {
    return throwWriteError(error, path);
  }
}

async function openPartial(path: string, options: OutputOptions): Promise<OutputFile> {
  const { size, identity, onNote } = options;
  const partial = partialPath(path);
  const left = await stat(partial).catch(() => undefined);
  const finished = left?.size === size ? await readJournal(journalPath(path), identity) : undefined;
  if (left && !finished) onNote?.(`Discarding ${partial}: it belongs to another input or plan.`);
  if (finished) onNote?.(`Resuming ${partial}: ${finished.size} tensors are complete.`);
  else await removePartial(path);

  const opened: FileHandle[] = [];
  const openOne = async (name: string, flags: string): Promise<FileHandle> => {
    const handle = await open(name, flags);
    opened.push(handle);
    return handle;
  };
  try {
    const data = await openOne(partial, finished ? 'r+' : 'wx+');
    const journal = await openOne(journalPath(path), finished ? 'a' : 'wx');
    await data.truncate(size);
    if (!finished) await journal.appendFile(journalHead(identity));
    return outputFile(path, data, journal, finished ?? new Set(), options.journalBytes);
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

function outputFile(
  path: string,
  data: FileHandle,
  journal: FileHandle,
  finished: ReadonlySet<string>,
  journalBytes = 2 ** 28,
): OutputFile {
  const partial = partialPath(path);
  let waiting: string[] = [];
  let unsaved = 0;
  let saving: Promise<void> | undefined;

  const save = async (): Promise<void> => {
    const names = waiting;
    waiting = [];
    unsaved = 0;
    await data.datasync();
    await journal.appendFile(journalLines(names));
  };
  const saveInTurn = (): Promise<void> => (saving = (saving ?? Promise.resolve()).then(save));

  return {
    finished,
    async write(bytes, offset) {
      try {
        await writeAll(data, bytes, offset);
      } catch (error) {
        throwWriteError(error, partial);
      }
      unsaved += bytes.length;
    },
    finishTensor(name) {
      waiting.push(name);
      // A failing save is reported by the commit, which waits for it; here it must not be an unhandled rejection.
      if (unsaved >= journalBytes) saveInTurn().catch(() => {});
    },
    async commit() {
      try {
        await saveInTurn();
        await checkStillOurs(data, partial);
        await rename(partial, path);
        await syncFolder(dirname(path));
        await rm(journalPath(path), { force: true });
      } catch (error) {
        throwWriteError(error, partial);
      } finally {
        await closeAll([data, journal]);
      }
    },
    async abandon({ keep }) {
      if (keep) await saveInTurn().catch(() => {});
      await closeAll([data, journal]);
      if (!keep) await removePartial(path);
    },
  };
}

async function closeAll(handles: readonly FileHandle[]): Promise<void> {
  await Promise.all(handles.map((handle) => handle.close()));
}

async function removePartial(path: string): Promise<void> {
  await Promise.all([rm(partialPath(path), { force: true }), rm(journalPath(path), { force: true })]);
}

async function writeAll(file: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

/** Another process may have discarded our partial file and begun its own under the same name. */
async function checkStillOurs(data: FileHandle, partial: string): Promise<void> {
  const [ours, there] = await Promise.all([data.stat(), stat(partial).catch(() => undefined)]);
  if (there?.ino === ours.ino && there.dev === ours.dev) return;
  throw new QuernError('output-taken', 'Another process writes the same output file.', {
    file: partial,
    remedy: 'Let it finish, or choose another output with -o.',
  });
}

/** The rename itself must survive a power failure. Not every system can open a folder: then it cannot be done. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
