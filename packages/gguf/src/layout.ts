// The whole shape of a GGUF v3 file before its data exists: header bytes and the offset of every tensor. Tensors follow
// each other in the given order, each padded with zeros to the alignment, the last one too (as llama.cpp writes them).
import type { DType } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { HeaderBytes } from './header-bytes.ts';
import { maxDims, maxWrittenNameBytes } from './limits.ts';
import { alignmentOf } from './read-header.ts';
import { alignUp, tensorBytes } from './tensor-bytes.ts';
import type { GgufMetadata } from './value.ts';
import { writePair, writeString } from './write-metadata.ts';

const magic = 0x46554747;
const version = 3;

/** A tensor to be written. */
export interface GgufTensorPlan {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, innermost dimension last; at most 4 dimensions. */
  readonly shape: readonly number[];
}

export interface TensorPlace {
  /** Absolute offset in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface GgufLayout {
  /** Everything before the data, padded to the alignment. */
  readonly header: Uint8Array;
  readonly alignment: number;
  readonly tensors: ReadonlyMap<string, TensorPlace>;
  /** Size of the finished file. */
  readonly fileBytes: number;
}

/**
 * @throws QuernError `gguf-bad-value`, `gguf-empty-key`, `gguf-name-too-long`, `gguf-duplicate-tensor`,
 *   `gguf-unknown-type`, `gguf-too-many-dims`, `gguf-partial-block`, `gguf-shape-overflow`, `gguf-bad-alignment`.
 */
export function layoutGguf(metadata: GgufMetadata, tensors: readonly GgufTensorPlan[]): GgufLayout {
  const alignment = alignmentOf(metadata);
  const out = new HeaderBytes();
  out.u32(magic);
  out.u32(version);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) writePair(out, key, value);

  const relative = new Map<string, TensorPlace>();
  let offset = 0;
  for (const tensor of tensors) {
    if (relative.has(tensor.name)) {
      throw new QuernError('gguf-duplicate-tensor', 'Two tensors have this name.', { tensor: tensor.name });
    }
    const byteLength = checkedBytes(tensor);
    writeInfo(out, tensor, offset);
    relative.set(tensor.name, { offset, byteLength });
    offset = alignUp(offset + byteLength, alignment);
  }
  if (tensors.length > 0) out.pad(alignment);
  const header = out.finish();
  const places = new Map<string, TensorPlace>();
  for (const [name, place] of relative) places.set(name, { ...place, offset: header.length + place.offset });
  return { header, alignment, tensors: places, fileBytes: header.length + offset };
}

function writeInfo(out: HeaderBytes, { name, dtype, shape }: GgufTensorPlan, offset: number): void {
  const nameBytes = writeString(out, name, 'a tensor name');
  if (nameBytes > maxWrittenNameBytes) {
    throw new QuernError(
      'gguf-name-too-long',
      `The name has ${nameBytes} bytes; llama.cpp reads up to ${maxWrittenNameBytes}.`,
      {
        tensor: name,
      },
    );
  }
  out.u32(shape.length);
  for (const dim of [...shape].reverse()) out.u64(dim);
  out.u32(dtype.ggmlId!);
  out.u64(offset);
}

function checkedBytes({ name, dtype, shape }: GgufTensorPlan): number {
  const place = { tensor: name };
  if (dtype.ggmlId === undefined) throw new QuernError('gguf-unknown-type', `GGUF has no type ${dtype.name}.`, place);
  if (shape.length > maxDims) {
    throw new QuernError(
      'gguf-too-many-dims',
      `The tensor has ${shape.length} dimensions, more than ${maxDims}.`,
      place,
    );
  }
  const sane = shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  const bytes = sane ? tensorBytes(dtype, shape) : 'overflow';
  if (bytes === 'overflow') {
    throw new QuernError('gguf-shape-overflow', `The shape [${shape}] has no representable size.`, place);
  }
  if (bytes === 'partial block') {
    throw new QuernError(
      'gguf-partial-block',
      `Rows of ${shape.at(-1) ?? 1} weights are no multiple of the ${dtype.blockSize} of ${dtype.name}.`,
      place,
    );
  }
  return bytes;
}
