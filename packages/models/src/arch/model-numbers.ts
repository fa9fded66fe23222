// Numbers of GGUF metadata as records of architectures ask for them: by key without the architecture's prefix, and by block
// where a key has one value for each block.
import type { ModelView } from '@quern/checkpoint';
import type { GgufMetadata } from '@quern/gguf';
import { metadataReader } from '../metadata-reader.ts';

/** The deepest models have some 130 layers. */
export const maxBlocks = 4096;

export interface ModelNumbers {
  has(key: string): boolean;
  /** A number; of a list that of the block, and without a block the largest. Undefined without the key. */
  at(key: string, block?: number): number | undefined;
  /** A list, or what every block shares, as a list. */
  list(key: string): number[] | undefined;
  /** Whether a switch (of the block) is on. */
  isTrue(key: string, block?: number): boolean;
  text(key: string): string | undefined;
  /** A list of texts. */
  texts(key: string): string[] | undefined;
  /** Rows of a tensor of the file, or of one that will be there (`Architecture.rows`). */
  rowsOf(tensor: string): number | undefined;
  /** Blocks in all. */
  readonly blocks: number;
  /** The last of them, which predict tokens further ahead (`nextn_predict_layers`). */
  readonly draftBlocks: number;
  /** Kinds of tokens that have rows of their own (BERT). */
  readonly tokenTypes: number;
  /** Tokens: rows of the embedding. */
  readonly vocab: number;
  /** Rows of the embedding in the checkpoint; `vocab` for a GGUF file. */
  readonly storedVocab: number;
}

const largest = 2 ** 40;

/** The one number of a model that stands among those of the tokenizer. */
export const tokenTypesKey = 'tokenizer.ggml.token_type_count';

/**
 * @param storedVocab rows of the embedding in the checkpoint that the metadata were made from
 * @throws QuernError `metadata-missing`, `metadata-bad-type`, `metadata-bad-value`, now or when a number is asked for
 */
export function modelNumbers(
  view: Pick<ModelView, 'path'> & {
    readonly metadata: GgufMetadata;
    readonly tensors?: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  },
  architecture: string,
  vocab: number,
  storedVocab = vocab,
): ModelNumbers {
  const read = metadataReader(view, `${architecture}.`);
  const get = (key: string) => view.metadata.get(`${architecture}.${key}`);
  const blocks = read.integer('block_count', 1, maxBlocks);
  const draftBlocks = read.optionalInteger('nextn_predict_layers', 0, 0, blocks - 1);
  const numeric = (key: string, item: unknown): number => {
    const number =
      typeof item === 'number' || typeof item === 'bigint' || typeof item === 'boolean' ? Number(item) : NaN;
    if (Math.abs(number) <= largest) return number;
    return read.fail(key, `${String(item)} is no number of a model`);
  };
  const list = (key: string): number[] | undefined => {
    const value = get(key);
    if (!value) return undefined;
    if (value.type !== 'array') return Array(blocks).fill(numeric(key, value.value));
    return value.value.map((item) => numeric(key, item));
  };
  const at = (key: string, block?: number): number | undefined => {
    const value = get(key);
    if (!value) return undefined;
    if (value.type !== 'array') return numeric(key, value.value);
    if (block === undefined) return Math.max(...value.value.map((item) => numeric(key, item)));
    // Lists may end with the last block of the network.
    if (value.value.length === blocks - draftBlocks && block >= blocks - draftBlocks) return undefined;
    if (block >= value.value.length) read.fail(key, `${value.value.length} values for ${blocks} blocks`);
    return numeric(key, value.value[block]);
  };
  return {
    has: (key) => get(key) !== undefined,
    at,
    list,
    isTrue: (key, block) => get(key) !== undefined && at(key, block) === 1,
    text: (key) => read.optionalString(key),
    texts: (key) => {
      const value = get(key);
      if (value?.type !== 'array') return undefined;
      return value.value.map((item) => (typeof item === 'string' ? item : read.fail(key, 'it is no list of texts')));
    },
    rowsOf: (tensor) => view.tensors?.get(tensor)?.shape[0],
    blocks,
    draftBlocks,
    tokenTypes: metadataReader(view).optionalInteger(tokenTypesKey, 0, 0, 1 << 16),
    vocab,
    storedVocab,
  };
}
