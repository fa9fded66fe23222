// Where everything in a safetensors file will stand, known before its first byte is written. Same bytes as the reference
// implementation (serialize in huggingface/safetensors): tensors by falling alignment of their dtype, then by name;
// header padded with spaces to a multiple of 8, so that every tensor is aligned to its dtype.
import type { DType } from '@quern/blocks';
import { type ErrorPlace, QuernError } from '@quern/errors';
import { maxHeaderBytes, tensorBytes } from './header.ts';

// The reference's enum `Dtype`, which is in rising order of alignment.
const dtypeOrder = [
  ...['BOOL', 'F4', 'F6_E2M3', 'F6_E3M2'],
  ...['U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'],
  ...['I16', 'U16', 'F16', 'BF16', 'I32', 'U32', 'F32', 'C64', 'F64', 'I64', 'U64'],
];

/** A tensor to be written. */
export interface SafetensorsEntry {
  readonly name: string;
  /** One that has a `safetensorsName`. */
  readonly dtype: DType;
  /** Row-major, innermost dimension last. */
  readonly shape: readonly number[];
}

/** A tensor and its bytes in the file. */
export interface PlacedTensor<T extends SafetensorsEntry> {
  readonly tensor: T;
  /** Absolute offset of its first byte. */
  readonly begin: number;
  readonly bytes: number;
}

export interface SafetensorsLayout<T extends SafetensorsEntry> {
  /** The file up to the first tensor. */
  readonly header: Uint8Array;
  /** In file order. */
  readonly tensors: readonly PlacedTensor<T>[];
  readonly fileBytes: number;
}

/**
 * @param path for errors
 * @throws QuernError `safetensors-unknown-dtype`, `safetensors-bad-shape`, `safetensors-duplicate-name`,
 *   `safetensors-header-too-large`
 */
export function layoutSafetensors<T extends SafetensorsEntry>(
  path: string,
  tensors: readonly T[],
  metadata?: ReadonlyMap<string, string>,
): SafetensorsLayout<T> {
  const sized = inFileOrder(path, tensors);
  const header = headerBytes(path, sized, metadata);
  let end = header.length;
  const placed = sized.map(({ tensor, bytes }): PlacedTensor<T> => {
    const begin = end;
    end += bytes;
    return { tensor, begin, bytes };
  });
  return { header, tensors: placed, fileBytes: end };
}

interface Sized<T> {
  readonly tensor: T;
  readonly bytes: number;
}

function inFileOrder<T extends SafetensorsEntry>(path: string, tensors: readonly T[]): Sized<T>[] {
  const names = new Set<string>();
  const sized = tensors.map((tensor): Sized<T> => {
    const place: ErrorPlace = { file: path, tensor: tensor.name };
    if (!dtypeOrder.includes(tensor.dtype.safetensorsName ?? '')) {
      throw new QuernError('safetensors-unknown-dtype', `Safetensors has no dtype ${tensor.dtype.name}.`, place);
    }
    if (names.has(tensor.name) || tensor.name === '__metadata__') {
      throw new QuernError('safetensors-duplicate-name', 'The name is taken.', place);
    }
    names.add(tensor.name);
    const sane = tensor.shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
    const bytes = sane ? tensorBytes(tensor.dtype, tensor.shape) : undefined;
    if (bytes === undefined) {
      throw new QuernError('safetensors-bad-shape', `The shape [${tensor.shape}] has no valid size.`, place);
    }
    return { tensor, bytes };
  });
  const rank = ({ tensor }: Sized<T>): number => dtypeOrder.indexOf(tensor.dtype.safetensorsName!);
  return sized.sort((a, b) => rank(b) - rank(a) || (a.tensor.name < b.tensor.name ? -1 : 1));
}

function headerBytes(
  path: string,
  sized: readonly Sized<SafetensorsEntry>[],
  metadata?: ReadonlyMap<string, string>,
): Uint8Array {
  const fields: string[] = [];
  const field = (name: string, value: unknown): number =>
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
  if (metadata) field('__metadata__', Object.fromEntries(metadata));
  let offset = 0;
  for (const { tensor, bytes } of sized) {
    field(tensor.name, {
      dtype: tensor.dtype.safetensorsName,
      shape: tensor.shape,
      data_offsets: [offset, offset + bytes],
    });
    offset += bytes;
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes) {
    throw new QuernError('safetensors-header-too-large', `The header would have ${length} bytes.`, { file: path });
  }
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}
