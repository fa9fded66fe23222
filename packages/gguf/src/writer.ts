// Writing a GGUF file of any size with bounded memory: the header goes first, then tensor data in any order and in
// pieces of any size, since every offset is known. The file has its final name only when complete.
import { QuernError } from '@quern/errors';
import { createFileSink, type FileSink } from '@quern/source';
import { type GgufLayout, type GgufTensorPlan, layoutGguf, type TensorPlace } from './layout.ts';
import type { GgufMetadata } from './value.ts';
import { WrittenRanges } from './written-ranges.ts';

export interface GgufContents {
  /** In the order to be written. `general.alignment` is honoured when present. */
  readonly metadata: GgufMetadata;
  /** In the order to be written. */
  readonly tensors: readonly GgufTensorPlan[];
}

export class GgufWriter {
  readonly path: string;
  /** Absolute offset and size of every tensor. */
  readonly tensors: ReadonlyMap<string, TensorPlace>;
  /** Size of the finished file. */
  readonly fileBytes: number;
  private readonly sink: FileSink;
  private readonly written = new Map<string, WrittenRanges>();

  private constructor(sink: FileSink, layout: GgufLayout) {
    this.path = sink.path;
    this.tensors = layout.tensors;
    this.fileBytes = layout.fileBytes;
    this.sink = sink;
    for (const name of layout.tensors.keys()) this.written.set(name, new WrittenRanges());
  }

  /**
   * Creates `<path>.partial` with its full size and writes the header.
   * @throws QuernError those of `layoutGguf`, and `disk-full`, `file-too-large`, `write-failed`.
   */
  static async create(path: string, contents: GgufContents): Promise<GgufWriter> {
    const layout = layoutGguf(contents.metadata, contents.tensors);
    const sink = await createFileSink(path, layout.fileBytes);
    try {
      await sink.write(layout.header, 0);
    } catch (error) {
      await sink.abort();
      throw error;
    }
    return new GgufWriter(sink, layout);
  }

  /**
   * Writes `bytes` of a tensor at `offset` bytes from its start. Calls may overlap in time.
   * @throws QuernError `gguf-unknown-tensor`, `gguf-write-out-of-range`, `disk-full`, `file-too-large`, `write-failed`.
   */
  async write(name: string, bytes: Uint8Array, offset = 0): Promise<void> {
    const place = this.tensors.get(name);
    if (!place) {
      throw new QuernError('gguf-unknown-tensor', 'The tensor was not declared.', { file: this.path, tensor: name });
    }
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + bytes.length > place.byteLength) {
      throw new QuernError(
        'gguf-write-out-of-range',
        `${bytes.length} bytes at ${offset} do not fit into a tensor of ${place.byteLength}.`,
        { file: this.path, tensor: name, offset: place.offset },
      );
    }
    await this.sink.write(bytes, place.offset + offset);
    this.written.get(name)!.add(offset, offset + bytes.length);
  }

  /**
   * Checks that every byte was written, flushes to the disk, and renames to the final name.
   * @throws QuernError `gguf-incomplete` (the partial file stays until `abort`), `disk-full`, `write-failed`.
   */
  async finish(): Promise<void> {
    for (const [name, { byteLength, offset }] of this.tensors) {
      if (!this.written.get(name)!.covers(byteLength)) {
        throw new QuernError('gguf-incomplete', 'Not all bytes of the tensor were written.', {
          file: this.path,
          tensor: name,
          offset,
        });
      }
    }
    await this.sink.finish();
  }

  /** Gives up: removes the partial file. Does nothing after `finish`. */
  abort(): Promise<void> {
    return this.sink.abort();
  }
}
