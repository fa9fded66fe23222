// The weight files of an unfinished folder. Each is open from its first tensor to its last and is then renamed within the
// folder (`<file>.partial` to `<file>`): a file with its name is complete, of one without it the journal tells.
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { QuernError } from '@quern/errors';
import { createFileSink, type FileSink, partialPathOf, writeError } from '@quern/source';
import { journalLines } from './journal.ts';
import type { Shard } from './plan-shards.ts';

export interface ShardFiles {
  readonly finished: ReadonlySet<string>;
  /** Tensors that an earlier run wrote. */
  readonly resumed: number;
  write(name: string, bytes: Uint8Array, offset?: number): Promise<void>;
  read(name: string): Promise<Uint8Array>;
  commit(): Promise<void>;
  /** @throws QuernError `hf-incomplete` */
  close(): Promise<void>;
  suspend(): Promise<void>;
}

/** A file under work. */
interface OpenShard extends Shard {
  readonly path: string;
  /** Tensors that lack bytes. */
  unfinished: number;
  /** Its partial file holds tensors that the journal names. */
  resume: boolean;
  sink?: Promise<FileSink>;
}

interface Place {
  readonly shard: OpenShard;
  readonly begin: number;
  readonly bytes: number;
  /** Bytes not yet written. */
  left: number;
}

/** @param noted tensors that the journal names */
export async function openShards(
  folder: string,
  plan: readonly Shard[],
  noted: ReadonlySet<string>,
  journalPath: string,
): Promise<ShardFiles> {
  const finished = new Set<string>();
  const places = new Map<string, Place>();
  const shards: OpenShard[] = [];
  let resumed = 0;
  for (const { file, layout } of plan) {
    const path = join(folder, file);
    const whole = (await sizeOf(path)) === layout.fileBytes;
    const resume = !whole && (await sizeOf(partialPathOf(path))) === layout.fileBytes;
    const shard: OpenShard = { file, layout, path, resume, unfinished: 0 };
    for (const { tensor, begin, bytes } of layout.tensors) {
      const written = bytes > 0 && (whole || (resume && noted.has(tensor.name)));
      const done = written || bytes === 0;
      if (written) resumed++;
      if (done) finished.add(tensor.name);
      else shard.unfinished++;
      places.set(tensor.name, { shard, begin, bytes, left: done ? 0 : bytes });
    }
    shards.push(shard);
  }

  const opened = async (shard: OpenShard): Promise<FileSink> => {
    const { path, layout, resume } = shard;
    const sink = await createFileSink(path, layout.fileBytes, { resume, resumable: true });
    await sink.write(layout.header, 0).catch(async (error) => {
      await sink.suspend();
      throw error;
    });
    return sink;
  };
  const sinkOf = (shard: OpenShard): Promise<FileSink> => (shard.sink ??= opened(shard));

  let waiting: string[] = [];
  // Syncs and renames take turns: a file must not get its name while it is being synced.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const next = turn.then(work);
    turn = next.catch(() => {});
    return next;
  };

  const save = async (): Promise<void> => {
    const names = waiting;
    waiting = [];
    if (names.length === 0) return;
    for (const { sink } of shards) await (await sink)?.sync();
    await append(journalPath, journalLines(names));
    for (const name of names) finished.add(name);
  };
  const finishShard = async (shard: OpenShard): Promise<void> => {
    const sink = await sinkOf(shard);
    await sink.finish();
    shard.sink = undefined;
    for (const { tensor } of shard.layout.tensors) finished.add(tensor.name);
  };
  const suspend = () =>
    inTurn(async () => {
      await save().catch(() => {});
      for (const shard of shards) {
        await (await shard.sink?.catch(() => undefined))?.suspend();
        shard.sink = undefined;
      }
    });

  return {
    finished,
    resumed,
    async write(name, bytes, offset = 0) {
      const place = places.get(name);
      const where = { file: place?.shard.path ?? folder, tensor: name };
      if (!place) throw new QuernError('hf-unknown-tensor', 'No such tensor was announced.', where);
      if (bytes.length > place.left || offset < 0 || offset + bytes.length > place.bytes) {
        throw new QuernError(
          'hf-wrong-length',
          `${bytes.length} bytes at ${offset} are more than what is missing of its ${place.bytes}.`,
          where,
        );
      }
      const { shard } = place;
      const sink = await sinkOf(shard);
      await sink.write(bytes, place.begin + offset);
      place.left -= bytes.length;
      if (place.left > 0) return;
      waiting.push(name);
      if (--shard.unfinished === 0) await inTurn(() => finishShard(shard));
    },
    read: (name) =>
      // A file must not be renamed between the look for its name and its opening.
      new Promise((resolve, reject) => {
        const reading = inTurn(async () => resolve(await readTensor(folder, name, finished, places)));
        reading.catch(reject);
      }),
    commit: () => inTurn(save),
    async close() {
      const lacking = [...places].find(([, { left }]) => left > 0);
      if (lacking) {
        const [tensor, { left, shard }] = lacking;
        throw new QuernError('hf-incomplete', `${left} bytes of the tensor were not written.`, {
          file: shard.path,
          tensor,
        });
      }
      await turn;
      // Files of which an earlier run wrote every tensor without getting to the rename, or that hold empty tensors alone.
      for (const shard of shards) if ((await sizeOf(shard.path)) !== shard.layout.fileBytes) await finishShard(shard);
    },
    suspend,
  };
}

async function readTensor(
  folder: string,
  name: string,
  finished: ReadonlySet<string>,
  places: ReadonlyMap<string, Place>,
): Promise<Uint8Array> {
  const place = places.get(name);
  const file = place?.shard.path ?? folder;
  if (!place || !finished.has(name))
    throw new QuernError('hf-unknown-tensor', 'The tensor is not complete on the disk.', { file, tensor: name });
  const isWhole = (await sizeOf(file)) !== undefined;
  const handle = await open(isWhole ? file : partialPathOf(file));
  try {
    const bytes = new Uint8Array(place.bytes);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, place.begin);
    if (bytesRead === bytes.length) return bytes;
  } finally {
    await handle.close();
  }
  throw new QuernError('hf-incomplete', 'The unfinished file is shorter than what was written to it.', {
    file,
    tensor: name,
    remedy: 'Start over with --force.',
  });
}

const sizeOf = async (path: string): Promise<number | undefined> => (await stat(path).catch(() => undefined))?.size;

async function append(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'a');
    try {
      await file.appendFile(text);
      await file.datasync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw writeError(path, text.length, cause, { resumable: true });
  }
}
