// Writing a safetensors file of any size, tensor after tensor.
import { type ErrorPlace, QuernError } from '@quern/errors';
import { createFileSink, type FileSink } from '@quern/source';
import { layoutSafetensors, type PlacedTensor, type SafetensorsEntry } from './layout.ts';

/** A tensor and where its bytes come from. */
export interface SafetensorsInput extends SafetensorsEntry {
  /** The bytes, in pieces of any size. Asked for when its turn in the file comes. */
  readonly data: Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes `path` (under a temporary name until complete).
 * @throws QuernError those of `layoutSafetensors`, `safetensors-wrong-length`, `disk-full`, `file-too-large`,
 *   `write-failed`.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly SafetensorsInput[],
  metadata?: ReadonlyMap<string, string>,
): Promise<void> {
  const { header, tensors: placed, fileBytes } = layoutSafetensors(path, tensors, metadata);
  const sink = await createFileSink(path, fileBytes);
  try {
    await sink.write(header, 0);
    for (const tensor of placed) await writeTensor(sink, tensor);
    await sink.finish();
  } finally {
    // Does nothing when all went well.
    await sink.abort();
  }
}

async function writeTensor(sink: FileSink, { tensor, begin, bytes }: PlacedTensor<SafetensorsInput>): Promise<void> {
  const place: ErrorPlace = { file: sink.path, tensor: tensor.name, offset: begin };
  let written = 0;
  for await (const piece of tensor.data) {
    if (written + piece.length > bytes) {
      throw new QuernError('safetensors-wrong-length', `More than its ${bytes} bytes were given.`, place);
    }
    await sink.write(piece, begin + written);
    written += piece.length;
  }
  if (written !== bytes) {
    throw new QuernError('safetensors-wrong-length', `Only ${written} of its ${bytes} bytes were given.`, place);
  }
}
