// Opening a model: one GGUF file, or the splits PREFIX-00001-of-00003.gguf … that make one.
import { QuernError } from '@quern/errors';
import { openFile, type Source } from '@quern/source';
import { defaultAlignment } from './limits.ts';
import { type GgufHeader, readGgufHeader } from './read-header.ts';
import type { GgufTensor } from './read-tensors.ts';
import { findSplits, joinSplits, splitOf } from './split.ts';
import type { GgufMetadata } from './value.ts';

/** A model as GGUF describes it. */
export interface Gguf {
  /** Format version of the (first) file: 2 or 3. */
  readonly version: number;
  /** Of the first file; without the `split.*` keys when splits were joined, since they describe files, not the model. */
  readonly metadata: GgufMetadata;
  /** In file order, split after split. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly alignment: number;
  /** The files behind it, in order. */
  readonly files: readonly string[];
  close(): Promise<void>;
}

export interface OpenGgufOptions {
  /** Opens another split beside a given source, by file name. Paths find theirs without it. */
  openSibling?: (fileName: string) => Promise<Source>;
}

/**
 * Opens a GGUF file by path, or reads from a source (which is closed by `close`, and left open on an error).
 * Only headers are read. Any split may be named; all of them are opened.
 * @throws QuernError `gguf-*`, see docs/formats/gguf.md, and those of `openFile`.
 */
export async function openGguf(input: string | Source, options: OpenGgufOptions = {}): Promise<Gguf> {
  const given = typeof input === 'string' ? await openFile(input) : input;
  const opened: Source[] = typeof input === 'string' ? [given] : [];
  try {
    const header = await headerOf(given);
    const split = splitOf(header.metadata, given.name);
    if (!split) return whole(header, given);

    const { names, dir } = findSplits(given.name, split);
    const openSibling = options.openSibling ?? (typeof input === 'string' ? siblingOf(dir) : undefined);
    if (!openSibling) {
      throw new QuernError('gguf-split-unreachable', `The model is in ${split.count} files, and only one was given.`, {
        file: given.name,
        remedy: 'Open it by path, or pass openSibling.',
      });
    }
    const sources: Source[] = [];
    for (const [no, name] of names.entries()) {
      if (no === split.no) {
        sources.push(given);
        continue;
      }
      const source = await openSibling(name).catch((cause) => {
        throw new QuernError('gguf-split-missing', `Split ${no + 1} of ${split.count} cannot be opened.`, {
          file: dir + name,
          remedy: 'Put all splits into one folder under their own names.',
          cause,
        });
      });
      opened.push(source);
      sources.push(source);
    }
    const headers: GgufHeader[] = [];
    for (const source of sources) headers.push(source === given ? header : await readGgufHeader(source));
    return {
      version: headers[0]!.version,
      alignment: headers[0]!.alignment,
      ...joinSplits(headers, sources, split.count),
      files: sources.map((source) => source.name),
      close: async () => {
        await Promise.all(sources.map((source) => source.close()));
      },
    };
  } catch (error) {
    await Promise.all(opened.map((source) => source.close()));
    throw error;
  }
}

function whole({ version, metadata, tensors, alignment }: GgufHeader, source: Source): Gguf {
  return { version, metadata, tensors, alignment, files: [source.name], close: () => source.close() };
}

/**
 * The header of the file that was given. Files that somebody joined with `cat` are told from one with something behind it.
 * @throws QuernError `gguf-splits-joined`, and those of `readGgufHeader`
 */
async function headerOf(source: Source): Promise<GgufHeader> {
  try {
    return await readGgufHeader(source);
  } catch (error) {
    const end = error instanceof QuernError && error.code === 'gguf-trailing-data' ? error.offset : undefined;
    if (end === undefined) throw error;
    // The last tensor of a split may end without padding.
    const first = Math.max(0, end - defaultAlignment);
    const bytes = await source.read(first, Math.min(2 * defaultAlignment, source.size - first));
    const at = new TextDecoder('latin1').decode(bytes).indexOf('GGUF');
    if (at < 0) throw error;
    throw new QuernError('gguf-splits-joined', 'Another GGUF file begins behind the last tensor.', {
      file: source.name,
      offset: first + at,
      remedy:
        'Splits are not joined with cat: keep them side by side under their own names and give the first, or join them with quern merge.',
      cause: error,
    });
  }
}

const siblingOf = (dir: string) => (fileName: string) => openFile(dir + fileName);
