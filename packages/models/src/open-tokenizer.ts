// The tokenizer of a model of any architecture, from as little as there is: the header of a GGUF file (read by range when
// it is far away), or the tokenizer files of a checkpoint, fetched without the weights.
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isVocabularyFile, type LocateOptions, type ModelPlace, openContents, sideFiles } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import type { GgufMetadata } from '@quern/gguf';
import { parsePythonJson } from '@quern/source';
import { type Tokenizer, tokenizerFromGguf } from '@quern/tokenizer';
import { architectures } from './arch/index.ts';
import { type TokenizerFolder, tokenizerMetadata } from './lens/tokenizer-metadata.ts';

export type OpenTokenizerOptions = Pick<LocateOptions, 'onNote' | 'onProgress' | 'onUnfinished' | 'signal'>;

export interface OpenedTokenizer {
  readonly tokenizer: Tokenizer;
  /** Bytes of a header read from another machine; undefined when none were. */
  readonly bytesRead?: number;
}

/** config.json says which tokens begin and end a text. */
const besideVocabulary: ReadonlySet<string> = new Set([
  ...['config.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'merges.txt'],
  ...['chat_template.jinja', 'chat_template.json'],
]);

/**
 * @throws QuernError `tokenizer-missing`, and those of `openContents`, `tokenizerFromGguf` and `tokenizerViewFromHf`
 */
export async function openTokenizer(place: ModelPlace, options: OpenTokenizerOptions = {}): Promise<OpenedTokenizer> {
  const dir = await tokenizerFolder(place, options);
  if (dir !== undefined)
    return { tokenizer: tokenizerFromGguf(await folderMetadata({ path: dir, ...sideFiles(dir) })) };
  const contents = await openContents(place, options).catch((error: unknown) => {
    if (error instanceof QuernError && error.code === 'checkpoint-no-weights') throw missing(error.file);
    throw error;
  });
  try {
    if (contents.container !== 'gguf') throw missing(contents.path);
    const tokenizer = tokenizerFromGguf(contents.metadata);
    const bytesRead = contents.bytesRead();
    return { tokenizer, ...(bytesRead !== undefined && { bytesRead }) };
  } finally {
    await contents.close();
  }
}

/** The folder that has tokenizer files, fetched when it is far away; undefined for GGUF. */
async function tokenizerFolder(place: ModelPlace, { onProgress, onUnfinished }: OpenTokenizerOptions) {
  if (place.kind === 'folder') return (await readdir(place.path)).some(isVocabularyFile) ? place.path : undefined;
  if (place.kind === 'file') return isVocabularyFile(basename(place.path)) ? dirname(place.path) : undefined;
  if (place.kind === 'url' || place.reference.quant !== undefined) return undefined;
  const { repository, reference } = place;
  const folder = reference.path === undefined ? '' : `${reference.path.replace(/\/+$/, '')}/`;
  const inFolder = repository.files.map(({ path }) => path).filter((path) => path.startsWith(folder));
  const nameOf = (path: string) => path.slice(folder.length);
  const wanted = inFolder.filter((path) => besideVocabulary.has(nameOf(path)) || isVocabularyFile(nameOf(path)));
  if (!wanted.some((path) => isVocabularyFile(nameOf(path)))) return undefined;
  return join(await repository.fetch(wanted, { onProgress, onUnfinished }), folder);
}

/** As conversion makes it where quern knows the model, else what the files themselves say. */
async function folderMetadata(folder: TokenizerFolder): Promise<GgufMetadata> {
  const config = await configOf(folder);
  const name: unknown = Array.isArray(config.architectures) ? config.architectures[0] : undefined;
  const architecture = architectures.find(({ hf }) => typeof name === 'string' && hf.includes(name));
  const { vocab_size: vocabSize } = config;
  if (architecture && typeof vocabSize === 'number') return tokenizerMetadata(folder, architecture, vocabSize);
  // tokenizer.json says more than tokenizer.model about what is done to a text before it is cut.
  const hasJson = (await folder.fileNames?.())?.includes('tokenizer.json') ?? false;
  const metadata = await tokenizerMetadata(
    {
      ...folder,
      readBytes: async (file) => (hasJson && file === 'tokenizer.model' ? undefined : folder.readBytes(file)),
      readText: async (file) => (file === 'config.json' ? JSON.stringify(config) : folder.readText(file)),
    },
    undefined,
    undefined,
  );
  // Pre-tokenizers of models that want a first token say so; without its id it cannot be put there.
  if (metadata.get('tokenizer.ggml.model')?.value === 'gpt2' && !metadata.has('tokenizer.ggml.bos_token_id'))
    metadata.set('tokenizer.ggml.add_bos_token', { type: 'bool', value: false });
  return metadata;
}

async function configOf(folder: TokenizerFolder): Promise<Record<string, unknown>> {
  try {
    return (parsePythonJson((await folder.readText('config.json')) ?? '{}') ?? {}) as Record<string, unknown>;
  } catch (error) {
    // Its fault is none of the tokenizer's.
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

const missing = (file: string | undefined): QuernError =>
  new QuernError('tokenizer-missing', 'There is no tokenizer.', {
    file,
    remedy: 'Give a GGUF file, or a folder with tokenizer.json or tokenizer.model.',
  });
