// `quern inspect --json`: everything, as one document.
import type { GgufValue } from '@quern/gguf';
import { listTensors } from '@quern/models';
import { fileTypeName } from './file-type-name.ts';
import type { Subject } from './subject.ts';

/** Longer arrays (a vocabulary has a hundred thousand entries) are told by type and length. */
const longestArray = 1024;

/** @param ref as it was typed */
export async function reportOf(
  ref: string,
  { contents, description, metadata, tensors, notes }: Subject,
): Promise<Record<string, unknown>> {
  const { container, files, config } = contents;
  const { fileType } = description;
  const bytesRead = contents.bytesRead();
  return {
    model: ref,
    container,
    ...description,
    ...(fileType !== undefined && { fileType: await fileTypeName(fileType) }),
    files,
    ...(bytesRead !== undefined && { bytesRead }),
    notes,
    tensors: listTensors(tensors),
    metadata: Object.fromEntries([...metadata].map(([key, value]) => [key, shown(value)])),
    ...(config && { config }),
  };
}

function shown(value: GgufValue): unknown {
  if (value.type !== 'array') return value.value;
  if (value.value.length > longestArray) return { array: value.of, length: value.value.length };
  return value.of === 'array' ? value.value.map(shown) : value.value;
}
