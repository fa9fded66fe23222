// A small file, whole in memory, written as large ones are: it has its name only when complete, and nothing stays behind of one that fails.
import { createFileSink, type FileSinkOptions } from './file-sink.ts';

/** @throws QuernError those of `createFileSink` and of its sink */
export async function writeWholeFile(path: string, bytes: Uint8Array, options?: FileSinkOptions): Promise<void> {
  const sink = await createFileSink(path, bytes.length, options);
  try {
    await sink.write(bytes, 0);
    await sink.finish();
  } finally {
    await sink.abort();
  }
}
