// What weight files say about themselves, of any architecture and none: for looking at a model, not for running it. Only
// headers are read, so it does for files on another machine too.
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { QuernError } from '@quern/errors';
import { type GgufMetadata, type GgufValue, openGguf } from '@quern/gguf';
import { openSafetensors } from '@quern/safetensors';
import { countReads, httpSource, type ListedFile, type Source } from '@quern/source';
import { openTorch } from '@quern/torch';
import { chooseGguf } from './choose-gguf.ts';
import { contiguousTensor } from './contiguous-tensor.ts';
import { selectOnHub } from './hub-selection.ts';
import { translateParams } from './mistral/params.ts';
import type { ModelPlace } from './model-place.ts';
import type { TensorView } from './model-view.ts';
import { filesOf, hubShelf, localShelf, readConfig, type Shelf } from './shelf.ts';
import { isCheckpoint } from './weight-files.ts';

export interface Contents {
  readonly path: string;
  readonly container: 'gguf' | 'safetensors' | 'torch';
  readonly files: readonly ListedFile[];
  /** Of GGUF, its metadata; of safetensors, the strings of `__metadata__`. */
  readonly metadata: GgufMetadata;
  /** config.json, of an adapter adapter_config.json. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** As the hub says it. */
  readonly license?: string;
  /** README.md of a folder here, as far as its front matter may reach. */
  readonly card?: string;
  /** Under the names that the files have. */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** Bytes read from another machine so far; undefined when everything is here. */
  readonly bytesRead: () => number | undefined;
  close(): Promise<void>;
}

export interface ContentsOptions {
  signal?: AbortSignal;
  /** Told which file was taken where there was a choice. */
  onNote?: (note: string) => void;
}

/**
 * Opens what a place holds: a GGUF file with its splits, a safetensors file or one of torch.save, a checkpoint folder, an
 * adapter.
 * @throws QuernError `contents-not-recognized`, `checkpoint-no-weights`, and those of the formats
 */
export async function openContents(place: ModelPlace, options: ContentsOptions = {}): Promise<Contents> {
  if (place.kind === 'file') return openOne(localShelf(dirname(place.path), []), basename(place.path), place.path);
  if (place.kind === 'folder') {
    const shelf = localShelf(place.path, await readdir(place.path));
    const files = await Promise.all(
      shelf.names.filter((name) => /\.gguf$/i.test(name)).map((name) => listed(shelf, name)),
    );
    const isFolder = isCheckpoint(shelf.names, place.path);
    const chosen = isFolder
      ? undefined
      : chooseGguf(files, { place: place.path, spelling: ({ path }) => join(place.path, path) });
    if (chosen?.note !== undefined) options.onNote?.(chosen.note);
    if (chosen) return openOne(shelf, chosen.model.path, join(place.path, chosen.model.path));
    const card = shelf.names.includes('README.md') ? await startOf(shelf, 'README.md') : undefined;
    return { ...(await openFolder(shelf)), ...(card !== undefined && { card }) };
  }

  let read = 0;
  const counted = async (source: Promise<Source>): Promise<Source> =>
    countReads(await source, (bytes) => (read += bytes));
  const far = async (opened: Promise<Contents>): Promise<Contents> => ({ ...(await opened), bytesRead: () => read });
  if (place.kind === 'url') {
    const { url } = place;
    const open = (name: string) => counted(httpSource(new URL(name, url).href, { signal: options.signal }));
    const name = new URL(url).pathname.split('/').at(-1)! + new URL(url).search;
    return far(openOne({ shown: url, names: [], size: async () => 0, open }, name, url));
  }
  const { repository, reference } = place;
  const selection = selectOnHub(repository, reference);
  const shelf = hubShelf(repository, selection?.kind === 'hf' ? selection.folder : '', counted);
  const license = repository.license === undefined ? {} : { license: repository.license };
  if (selection?.kind === 'gguf' && selection.note !== undefined) options.onNote?.(selection.note);
  const path =
    selection?.kind === 'gguf' ? selection.model.path : selection?.kind === 'file' ? selection.path : undefined;
  const opened = path === undefined ? openFolder(shelf) : openOne(shelf, path, `${repository.repo}/${path}`);
  return { ...(await far(opened)), ...license };
}

// The front matter of the largest model cards has some 500 KB.
const maxCardBytes = 2 * 2 ** 20;

async function startOf(shelf: Shelf, name: string): Promise<string> {
  const source = await shelf.open(name);
  try {
    return new TextDecoder().decode(await source.read(0, Math.min(source.size, maxCardBytes)));
  } finally {
    await source.close();
  }
}

const listed = async (shelf: Shelf, path: string): Promise<ListedFile> => ({ path, size: await shelf.size(path) });

/** One file of any format, known by its first bytes. */
async function openOne(shelf: Shelf, name: string, path: string): Promise<Contents> {
  const source = await shelf.open(name);
  try {
    const head = source.size >= 10 ? await source.read(0, 10) : new Uint8Array(10);
    if (new TextDecoder().decode(head.subarray(0, 4)) === 'GGUF') return await openGgufFile(shelf, name, path, source);
    if (head[8] === 0x7b) return await joined('safetensors', path, [await openSafetensors(source)]);
    if (head[0] === 0x50 && head[1] === 0x4b) return await joined('torch', path, [await openTorch(source)]);
  } catch (error) {
    await source.close();
    throw error;
  }
  await source.close();
  throw new QuernError('contents-not-recognized', 'The file is neither GGUF nor safetensors, nor of torch.save.', {
    file: path,
    offset: 0,
    remedy: 'Give a file of weights, or the folder of a Hugging Face checkpoint.',
  });
}

async function openGgufFile(shelf: Shelf, name: string, path: string, source: Source): Promise<Contents> {
  const folder = name.slice(0, name.lastIndexOf('/') + 1);
  const sources = [source];
  const openSibling = async (sibling: string): Promise<Source> => {
    const opened = await shelf.open(folder + sibling);
    sources.push(opened);
    return opened;
  };
  const gguf = await openGguf(source, { openSibling });
  const tensors = new Map<string, TensorView>();
  for (const [tensor, { dtype, shape, source: from, offset }] of gguf.tensors) {
    tensors.set(tensor, contiguousTensor({ name: tensor, dtype, shape, source: from, begin: offset }));
  }
  const sizes = new Map(sources.map((opened) => [opened.name, opened.size]));
  const files = gguf.files.map((file) => ({ path: file, size: sizes.get(file) ?? 0 }));
  const { metadata, close } = gguf;
  return { path, container: 'gguf', files, metadata, tensors, bytesRead: () => undefined, close };
}

/** The weights of a checkpoint or of an adapter, file by file, and what its configuration says. */
async function openFolder(shelf: Shelf): Promise<Contents> {
  const { container, files, configName } = await filesOf(shelf);
  const stored = shelf.names.includes(configName) ? await readConfig(shelf, configName) : undefined;
  const config = stored && configName === 'params.json' ? inTransformersWords(stored, configName) : stored;
  const opened: Part[] = [];
  try {
    for (const name of files) {
      const source = await shelf.open(name);
      const open = container === 'torch' ? openTorch : openSafetensors;
      opened.push(
        await open(source).catch(async (error: unknown) => {
          await source.close();
          throw error;
        }),
      );
    }
    return { ...(await joined(container, shelf.shown, opened)), ...(config && { config }) };
  } catch (error) {
    await Promise.all(opened.map(({ close }) => close()));
    throw error;
  }
}

/** What is not understood is no fault of a model that is only looked at. */
function inTransformersWords(params: Record<string, unknown>, file: string): Contents['config'] {
  try {
    return translateParams(params, file).config;
  } catch (error) {
    if (error instanceof QuernError) return params;
    throw error;
  }
}

/** What both formats say of a file. */
interface Part {
  readonly metadata?: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, Omit<Parameters<typeof contiguousTensor>[0], 'name'>>;
  close(): Promise<void>;
}

async function joined(container: Contents['container'], path: string, parts: readonly Part[]): Promise<Contents> {
  const tensors = new Map<string, TensorView>();
  const files = new Map<string, number>();
  const metadata: GgufMetadata = new Map();
  for (const part of parts) {
    for (const [key, value] of part.metadata ?? []) metadata.set(key, { type: 'string', value } satisfies GgufValue);
    for (const [name, { dtype, shape, source, begin }] of part.tensors) {
      tensors.set(name, contiguousTensor({ name, dtype, shape, source, begin }));
      files.set(source.name, source.size);
    }
  }
  return {
    path,
    container,
    files: [...files].map(([file, size]) => ({ path: file, size })),
    metadata,
    tensors,
    bytesRead: () => undefined,
    close: async () => {
      await Promise.all(parts.map((part) => part.close()));
    },
  };
}
