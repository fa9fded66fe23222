// The metadata of a quantized file: all keys of the input, then those that quantizing sets, in llama-quantize's order;
// the keys of split files are dropped (llama-quant.cpp `llama_model_quantize_impl`, tools/quantize).
import type { DType } from '@quern/blocks';
import type { GgufMetadata } from '@quern/gguf';
import { type MetadataOverride, setMetadata } from '@quern/models';
import { type FileType, fileTypes } from './file-types.ts';
import type { PlannedImatrix } from './importance.ts';

/** `GGML_QNT_VERSION`. */
const quantizationVersion = 2;

export const splitKeys = ['split.no', 'split.count', 'split.tensors.count'] as const;

export interface MetadataChanges {
  readonly overrides?: readonly MetadataOverride[];
  readonly imatrix?: PlannedImatrix;
  /** Layers left after pruning. */
  readonly layers?: number;
  /** `enum llama_ftype`. */
  readonly fileType: number;
}

export function quantizedMetadata(
  metadata: GgufMetadata,
  architecture: string,
  changes: MetadataChanges,
): GgufMetadata {
  const { overrides = [], imatrix, layers, fileType } = changes;
  const result: GgufMetadata = new Map(metadata);
  setMetadata(result, [
    ['general.quantization_version', { type: 'uint32', value: quantizationVersion }],
    ['general.file_type', { type: 'uint32', value: fileType }],
  ]);
  for (const key of splitKeys) result.delete(key);
  setMetadata(result, overrides);
  if (imatrix) setMetadata(result, imatrixKeys(imatrix));
  if (layers !== undefined) setMetadata(result, [[`${architecture}.block_count`, { type: 'uint32', value: layers }]]);
  return result;
}

function imatrixKeys({ path, datasets, entries, chunkCount }: PlannedImatrix): MetadataOverride[] {
  const keys: MetadataOverride[] = [['quantize.imatrix.file', { type: 'string', value: shortened(path) }]];
  const [dataset] = datasets;
  if (dataset !== undefined) keys.push(['quantize.imatrix.dataset', { type: 'string', value: shortened(dataset) }]);
  keys.push(['quantize.imatrix.entries_count', { type: 'uint32', value: entries.size }]);
  if (chunkCount > 0) keys.push(['quantize.imatrix.chunks_count', { type: 'uint32', value: chunkCount }]);
  return keys;
}

/** llama-quantize keeps 127 bytes of a text; ours ends with a whole character. */
function shortened(text: string): string {
  const bytes = new TextEncoder().encode(text).subarray(0, 127);
  return new TextDecoder().decode(bytes, { stream: true });
}

/**
 * The row's number; of copies what the input says it is, else what most of its tensors are, marked as a guess
 * (llama-model-loader.cpp).
 */
export function fileTypeId(row: FileType, metadata: GgufMetadata, types: readonly DType[]): number {
  if (!row.copies) return row.id;
  const stored = metadata.get('general.file_type')?.value;
  if (typeof stored === 'number') return stored;
  const counts = new Map<string, number>();
  let most = 'F32';
  for (const { name } of types) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (counts.get(name)! > (counts.get(most) ?? 0)) most = name;
  }
  const like = fileTypes.find(({ name, aliases }) => name === most || aliases?.includes(most));
  return (like?.id ?? 0) + guessed;
}

/** `LLAMA_FTYPE_GUESSED`. */
const guessed = 1024;
