// Tensor infos: string name | u32 dims | u64 ne[dims], innermost first | u32 ggml type | u64 offset in the data section
// (gguf.md `gguf_tensor_info_t`), and the proof that they cover the data section.
import { type DType, dtypeByGgmlId } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { Source } from '@quern/source';
import type { HeaderWindow } from './header-window.ts';
import { maxDims } from './limits.ts';
import { readName } from './read-metadata.ts';
import { alignUp, tensorBytes } from './tensor-bytes.ts';

// Q4_2, Q4_3 and the repacked Q4_0/IQ4_NL variants (ggml.h).
const removedIds = new Set([4, 5, 31, 32, 33, 36, 37, 38]);

/** Where one tensor's bytes lie. */
export interface GgufTensor {
  readonly name: string;
  readonly dtype: DType;
  /** Row-major, innermost dimension last (the reverse of ggml's `ne`). */
  readonly shape: readonly number[];
  /** Absolute, in `source`. */
  readonly offset: number;
  readonly byteLength: number;
  readonly source: Source;
}

/** A tensor whose offset still counts from the data section. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly relativeOffset: number;
  /** Where the info begins in the file, for errors. */
  readonly infoOffset: number;
}

/** Reads one info. */
export function readTensorInfo(window: HeaderWindow): TensorInfo {
  const infoOffset = window.offset;
  const name = readName(window, 'tensor name');
  const place = { file: window.source.name, tensor: name, offset: infoOffset };
  const dims = window.u32();
  if (dims > maxDims)
    throw new QuernError('gguf-too-many-dims', `The tensor has ${dims} dimensions, more than ${maxDims}.`, place);
  const shape: number[] = [];
  for (let i = 0; i < dims; i++) shape.unshift(window.count());
  const id = window.u32();
  const relativeOffset = window.count();

  const dtype = dtypeByGgmlId(id);
  if (!dtype) {
    const why = removedIds.has(id) ? 'a type that ggml has removed' : 'an unknown type';
    throw new QuernError('gguf-unknown-type', `The ggml type ${id} is ${why}.`, place);
  }
  const byteLength = tensorBytes(dtype, shape);
  if (byteLength === 'overflow') {
    throw new QuernError('gguf-shape-overflow', `The shape [${shape}] has no representable size.`, place);
  }
  if (byteLength === 'partial block') {
    throw new QuernError(
      'gguf-partial-block',
      `Rows of ${shape.at(-1) ?? 1} weights are no multiple of the ${dtype.blockSize} of ${dtype.name}.`,
      place,
    );
  }
  return { name, dtype, shape, byteLength, relativeOffset, infoOffset };
}

/**
 * Proves that the infos cover the data section without overlap or hole, each aligned, and that the file holds it all.
 * The padding after the last tensor may be missing.
 * @param dataOffset where the data section begins in the file, in bytes
 */
export function placeTensors(
  infos: readonly TensorInfo[],
  source: Source,
  dataOffset: number,
  alignment: number,
): Map<string, GgufTensor> {
  const file = source.name;
  let end = 0;
  let last: string | undefined;
  for (const info of [...infos].sort((a, b) => a.relativeOffset - b.relativeOffset || a.byteLength - b.byteLength)) {
    const place = { file, tensor: info.name, offset: info.infoOffset };
    const begin = info.relativeOffset;
    if (begin % alignment !== 0) {
      throw new QuernError(
        'gguf-misaligned',
        `Its offset ${begin} is no multiple of the alignment ${alignment}.`,
        place,
      );
    }
    if (begin < end) throw new QuernError('gguf-overlap', `The tensor overlaps ${JSON.stringify(last)}.`, place);
    const expected = alignUp(end, alignment);
    if (begin > expected) {
      throw new QuernError('gguf-hole', `${begin - expected} bytes before it belong to no tensor.`, place);
    }
    end = begin + info.byteLength;
    last = info.name;
    if (end > source.size - dataOffset) {
      throw new QuernError('gguf-truncated', `The tensor ends at ${dataOffset + end}, the file at ${source.size}.`, {
        ...place,
        remedy: 'The file is incomplete: fetch it again.',
      });
    }
  }
  const fileEnd = alignUp(dataOffset + end, alignment);
  if (source.size > fileEnd) {
    throw new QuernError('gguf-trailing-data', `${source.size - fileEnd} bytes at the end belong to no tensor.`, {
      file,
      offset: fileEnd,
    });
  }
  return new Map(
    infos.map(({ name, dtype, shape, byteLength, relativeOffset }) => [
      name,
      { name, dtype, shape, byteLength, offset: dataOffset + relativeOffset, source },
    ]),
  );
}
