// The parts of all shards put together: the file of a single run, byte for byte.
import { QuernError } from '@quern/errors';
import { createFileSink, openFile, requireOutputFile } from '@quern/source';
import { type PartHeader, partHeaderBytes, readPartHeader } from './part-file.ts';

export interface MergeOptions {
  /** Replace an existing file. */
  force?: boolean;
  onProgress?: (progress: { done: number; total: number; part: string }) => void;
  signal?: AbortSignal;
}

const copyBytes = 2 ** 22;

/**
 * @param parts in any order
 * @returns size of the file
 * @throws QuernError `parts-missing` with their numbers, `parts-do-not-fit`, `part-not-recognized`, `part-not-readable`,
 *   those of `requireOutputFile` and of writing
 */
export async function mergeParts(path: string, parts: readonly string[], options: MergeOptions = {}): Promise<number> {
  const ordered = await orderedParts(parts);
  const size = ordered[0]!.header.fileBytes;
  await requireOutputFile(path, { inputs: parts, size, force: options.force });
  const sink = await createFileSink(path, size);
  const buffer = new Uint8Array(copyBytes);
  try {
    for (const { file, header } of ordered) {
      const source = await openFile(file);
      try {
        for (let at = header.begin; at < header.end; at += copyBytes) {
          options.signal?.throwIfAborted();
          const bytes = buffer.subarray(0, Math.min(copyBytes, header.end - at));
          await source.readInto(bytes, partHeaderBytes + at - header.begin);
          await sink.write(bytes, at);
          options.onProgress?.({ done: at + bytes.length, total: size, part: file });
        }
      } finally {
        await source.close();
      }
    }
    await sink.finish();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  return size;
}

interface Part {
  readonly file: string;
  readonly header: PartHeader;
}

async function orderedParts(files: readonly string[]): Promise<readonly Part[]> {
  const parts: Part[] = [];
  for (const file of files) parts.push({ file, header: await readPartHeader(file) });
  parts.sort((a, b) => a.header.shard - b.header.shard);
  const [first] = parts;
  if (!first) throw new QuernError('parts-missing', 'No part was given.');
  const { identity, of, fileBytes } = first.header;
  for (const [i, { file, header }] of parts.entries()) {
    if (header.identity !== identity || header.of !== of || header.fileBytes !== fileBytes)
      throw new QuernError('parts-do-not-fit', `It belongs to another file than ${first.file}.`, {
        file,
        remedy: 'All shards must be written with the same command, input and version of quern.',
      });
    if (header.shard === parts[i - 1]?.header.shard)
      throw new QuernError('parts-do-not-fit', `Shard ${header.shard} was given twice.`, { file });
  }
  const there = new Set(parts.map(({ header }) => header.shard));
  const missing = Array.from({ length: of }, (_, i) => i + 1).filter((shard) => !there.has(shard));
  if (missing.length > 0)
    throw new QuernError('parts-missing', `Shards ${missing.join(', ')} of ${of} are missing.`, {
      remedy: `Name their files too; what was never written, the same command writes with --shard ${missing[0]}/${of}.`,
    });
  for (const [i, { file, header }] of parts.entries()) {
    const end = parts[i + 1]?.header.begin ?? fileBytes;
    if (header.end !== end || (i === 0 && header.begin !== 0))
      throw new QuernError('parts-do-not-fit', `It ends at byte ${header.end}, and what follows begins at ${end}.`, {
        file,
        remedy: 'A part was damaged: write it again.',
      });
  }
  return parts;
}
