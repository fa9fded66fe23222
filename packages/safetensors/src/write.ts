// Writing a safetensors file of any size, tensor after tensor. Same bytes as the reference implementation (serialize in
// huggingface/safetensors): tensors by falling alignment of their dtype, then by name; header padded with spaces to a
// multiple of 8, so that every tensor is aligned to its dtype.
import type { DType } from '@quern/blocks';
import { type ErrorPlace, QuernError } from '@quern/errors';
import { createFileSink, type FileSink } from '@quern/source';
import { maxHeaderBytes, tensorBytes } from './header.ts';

// The reference's enum `Dtype`, which is in rising order of alignment.
const dtypeOrder = [
  ...['BOOL', 'F4', 'F6_E2M3', 'F6_E3M2'],
  ...['U8', 'I8', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ'],
  ...['I16', 'U16', 'F16', 'BF16', 'I32', 'U32', 'F32', 'C64', 'F64', 'I64', 'U64'],
];

/** A tensor and where its bytes come from. */
export interface SafetensorsInput {
  readonly name: string;
  /** One that has a `safetensorsName`. */
  readonly dtype: DType;
  /** Row-major, innermost dimension last. */
  readonly shape: readonly number[];
  /** The bytes, in pieces of any size. Asked for when its turn in the file comes. */
  readonly data: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes `path` (under a temporary name until complete).
 * @throws QuernError `safetensors-unknown-dtype`, `safetensors-bad-shape`, `safetensors-duplicate-name`,
 *   `safetensors-header-too-large`, `safetensors-wrong-length`, `disk-full`, `file-too-large`, `write-failed`.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly SafetensorsInput[],
  metadata?: ReadonlyMap<string, string>,
): Promise<void> {
  const sized = inFileOrder(path, tensors);
  const header = headerBytes(path, sized, metadata);
  const fileBytes = sized.reduce((sum, { bytes }) => sum + bytes, header.length);
  const sink = await createFileSink(path, fileBytes);
  try {
    await sink.write(header, 0);
    let offset = header.length;
    for (const { tensor, bytes } of sized) {
      await writeTensor(sink, tensor, offset, bytes);
      offset += bytes;
    }
    await sink.finish();
  } finally {
    // Does nothing when all went well.
    await sink.abort();
  }
}

interface Sized {
  readonly tensor: SafetensorsInput;
  readonly bytes: number;
}

function inFileOrder(path: string, tensors: readonly SafetensorsInput[]): Sized[] {
  const names = new Set<string>();
  const sized = tensors.map((tensor): Sized => {
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
  const rank = ({ tensor }: Sized): number => dtypeOrder.indexOf(tensor.dtype.safetensorsName!);
  return sized.sort((a, b) => rank(b) - rank(a) || (a.tensor.name < b.tensor.name ? -1 : 1));
}

function headerBytes(path: string, sized: readonly Sized[], metadata?: ReadonlyMap<string, string>): Uint8Array {
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

async function writeTensor(sink: FileSink, tensor: SafetensorsInput, offset: number, bytes: number): Promise<void> {
  const place: ErrorPlace = { file: sink.path, tensor: tensor.name, offset };
  let written = 0;
  for await (const piece of tensor.data) {
    if (written + piece.length > bytes) {
      throw new QuernError('safetensors-wrong-length', `More than its ${bytes} bytes were given.`, place);
    }
    await sink.write(piece, offset + written);
    written += piece.length;
  }
  if (written !== bytes) {
    throw new QuernError('safetensors-wrong-length', `Only ${written} of its ${bytes} bytes were given.`, place);
  }
}
