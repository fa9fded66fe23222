// Splits (llama.cpp tools/gguf-split): every file says `split.no` (from 0), `split.count` and `split.tensors.count`
// (of the whole model); file names are PREFIX-00001-of-00003.gguf (from 1); the model's metadata is in the first file.
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import type { GgufHeader } from './read-header.ts';
import type { GgufTensor } from './read-tensors.ts';
import type { GgufMetadata } from './value.ts';

const noKey = 'split.no';
const countKey = 'split.count';
const tensorsKey = 'split.tensors.count';

export interface Split {
  readonly no: number;
  readonly count: number;
  readonly tensors: number;
}

/** What the metadata says about being a split; undefined for a whole file. @throws QuernError `gguf-split-bad-metadata` */
export function splitOf(metadata: GgufMetadata, file: string): Split | undefined {
  const count = integer(metadata, countKey, file);
  if (count === undefined || count <= 1) return undefined;
  const no = integer(metadata, noKey, file);
  const tensors = integer(metadata, tensorsKey, file);
  if (no === undefined || tensors === undefined || no >= count || count > 99_999) {
    throw new QuernError('gguf-split-bad-metadata', `Split ${no} of ${count} with ${tensors} tensors makes no sense.`, {
      file,
    });
  }
  return { no, count, tensors };
}

function integer(metadata: GgufMetadata, key: string, file: string): number | undefined {
  const entry = metadata.get(key);
  if (!entry) return undefined;
  const value = typeof entry.value === 'bigint' ? Number(entry.value) : entry.value;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new QuernError('gguf-split-bad-metadata', `${key} is no count.`, { file });
  }
  return value;
}

/** The folder (with its separator, or empty) and the names of all splits, from the name of one of them. */
export function findSplits(path: string, { no, count }: Split): { dir: string; names: string[] } {
  const cut = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  const [dir, name] = [path.slice(0, cut), path.slice(cut)];
  const nameOf = (prefix: string, i: number): string => `${prefix}-${digits(i + 1)}-of-${digits(count)}.gguf`;
  const prefix = /^(.*)-\d{5}-of-\d{5}\.gguf$/s.exec(name)?.[1];
  if (prefix === undefined || name !== nameOf(prefix, no)) {
    throw new QuernError('gguf-split-bad-name', `Split ${no + 1} of ${count} must be named ${nameOf('NAME', no)}.`, {
      file: path,
      remedy: 'Give the splits their original names.',
    });
  }
  return { dir, names: Array.from({ length: count }, (_, i) => nameOf(prefix, i)) };
}

const digits = (n: number): string => String(n).padStart(5, '0');

/** One model out of the headers of all splits, in order. */
export function joinSplits(
  headers: readonly GgufHeader[],
  sources: readonly Source[],
  count: number,
): { metadata: GgufMetadata; tensors: Map<string, GgufTensor> } {
  const tensors = new Map<string, GgufTensor>();
  let promised = 0;
  for (const [no, header] of headers.entries()) {
    const file = sources[no]!.name;
    const split = splitOf(header.metadata, file);
    if (split?.no !== no || split.count !== count || (no > 0 && split.tensors !== promised)) {
      throw new QuernError('gguf-split-mismatch', `It does not say that it is split ${no + 1} of this model.`, {
        file,
      });
    }
    promised = split.tensors;
    for (const [name, tensor] of header.tensors) {
      if (tensors.has(name)) {
        throw new QuernError('gguf-duplicate-tensor', `The tensor is also in ${tensors.get(name)!.source.name}.`, {
          file,
          tensor: name,
          offset: tensor.offset,
        });
      }
      tensors.set(name, tensor);
    }
  }
  if (tensors.size !== promised) {
    throw new QuernError('gguf-split-mismatch', `The splits hold ${tensors.size} tensors, not ${promised}.`, {
      file: sources[0]!.name,
    });
  }
  const metadata: GgufMetadata = new Map(headers[0]!.metadata);
  for (const key of [noKey, countKey, tensorsKey]) metadata.delete(key);
  return { metadata, tensors };
}
