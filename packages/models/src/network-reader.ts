// What an architecture record sees of a file when it makes a network of it: the keys under the architecture's name, and
// which tensors there are, where GGUF has no key for what they tell.
import type { ModelView } from '@quern/checkpoint';
import { QuernError } from '@quern/errors';
import { type MetadataReader, metadataReader } from './metadata-reader.ts';

export interface NetworkReader extends MetadataReader {
  /** `general.architecture`. */
  readonly architecture: string;
  /** `<arch>.vocab_size` is optional in GGUF: the embedding matrix has one row per token. */
  readonly vocabSize: number;
  /** Keys with another name in front than the architecture's. */
  readonly outside: MetadataReader;
  hasTensor(name: string): boolean;
  /** The first dimension of a tensor; undefined when the file has none of that name. */
  rowsOf(name: string): number | undefined;
}

/** What is looked at: no values of tensors. */
export interface NetworkSource extends Pick<ModelView, 'path' | 'metadata'> {
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>;
}

/** @throws QuernError `tensor-missing` without token embeddings */
export function networkReader(source: NetworkSource, architecture: string): NetworkReader {
  const embedding = source.tensors.get('token_embd.weight');
  if (!embedding)
    throw new QuernError('tensor-missing', 'The model has no token embeddings.', {
      file: source.path,
      tensor: 'token_embd.weight',
    });
  return {
    ...metadataReader(source, `${architecture}.`),
    architecture,
    vocabSize: embedding.shape[0]!,
    outside: metadataReader(source),
    hasTensor: (name) => source.tensors.has(name),
    rowsOf: (name) => source.tensors.get(name)?.shape[0],
  };
}
