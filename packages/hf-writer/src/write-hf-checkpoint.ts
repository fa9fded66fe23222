// A whole checkpoint folder in one go: every tensor that an earlier run did not finish, a few at a time.
import { QuernError } from '@quern/errors';
import type { HfFolder, HfTensor, HfWriterOptions, HfWritten } from './hf-folder.ts';
import { openHfWriter } from './open-hf-writer.ts';

export interface WriteHfOptions extends HfWriterOptions {
  /** Told after every piece; bytes of all tensors. */
  onProgress?: (progress: { done: number; total: number; tensor: string }) => void;
  /** How much is written between two commits: what a crash may cost. Default 256 MiB. */
  commitBytes?: number;
  signal?: AbortSignal;
}

/** While the last pieces of one tensor are written, the next is read. */
const tensorsAtOnce = 3;

/**
 * Writes a folder under a temporary name until complete; goes on with what a stopped run with the same settings left.
 * @throws QuernError those of `openHfWriter`, of its `write`, and what the tensors throw
 */
export async function writeHfCheckpoint(
  dir: string,
  folder: HfFolder<HfTensor>,
  options: WriteHfOptions = {},
): Promise<HfWritten> {
  const writer = await openHfWriter(dir, folder, options);
  const { onProgress, signal, commitBytes = 2 ** 28 } = options;
  const sizes = folder.tensors.map(tensorBytes);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  let done = folder.tensors.reduce((sum, { name }, i) => sum + (writer.finished.has(name) ? sizes[i]! : 0), 0);
  let uncommitted = 0;
  const todo = folder.tensors.filter(({ name }) => !writer.finished.has(name)).values();
  let failure: { error: unknown } | undefined;

  const lane = async (): Promise<void> => {
    for (const tensor of todo) {
      if (failure) return;
      await tensor.write({
        async write(bytes, offset) {
          // What fails in one lane, or is asked for by the user, stops all of them at their next piece.
          if (failure) throw failure.error;
          signal?.throwIfAborted();
          await writer.write(tensor.name, bytes, offset);
          done += bytes.length;
          uncommitted += bytes.length;
          onProgress?.({ done, total, tensor: tensor.name });
        },
      });
      if (uncommitted < commitBytes) continue;
      uncommitted = 0;
      await writer.commit();
    }
  };
  await Promise.all(
    Array.from({ length: tensorsAtOnce }, () =>
      lane().catch((error) => {
        failure ??= { error };
      }),
    ),
  );
  if (!failure) return writer.finish();
  // A refusal will be the same next time; everything else may be resumed.
  const refused = failure.error instanceof QuernError && failure.error.code.startsWith('refused-');
  await (refused ? writer.abort() : writer.suspend());
  throw failure.error;
}

const tensorBytes = ({ dtype, shape }: HfTensor): number =>
  (shape.reduce((product, size) => product * size, 1) / dtype.blockSize) * dtype.typeSize;
