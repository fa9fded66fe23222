// The likeliest tokens of rows of logits, found where the logits are: a few numbers are read back in place of a vocabulary.
import type { Device, Tensor } from '@quern/runtime';
import type { Rank } from './rank.ts';

/** Most tokens of a row: with their logits and a count they take no more than 2 KiB. Vocabularies may be smaller. */
export const MOST_HIGHEST_LOGITS = 255;

export const highestBuffers = { words: 'highest', sums: 'logSums' } as const;

export interface HighestLogits {
  /** By falling logit, of equal ones the lower token first. */
  readonly tokens: Int32Array;
  readonly logits: Float32Array;
  /** log Σ e^logit of the whole row, where it was asked for. */
  readonly logSumExp?: number;
  /** Whether no logit of the row is NaN or infinite. */
  readonly allFinite: boolean;
}

/** @param logits [N, vocab] on the device of `rank`, which has the output */
export async function highestLogits(
  { device, buffers }: Rank,
  logits: Tensor,
  count: number,
  withSums: boolean,
): Promise<HighestLogits[]> {
  const rows = logits.shape[0]!;
  const width = 2 * count + 1;
  const words = device.view(buffers.get(highestBuffers.words)!, [rows, width]);
  device.run('topK', [logits], words, { count });
  const sums = withSums ? await sumsOf(device, logits, buffers.get(highestBuffers.sums)!) : undefined;
  const bytes = await device.read(words);
  return Array.from({ length: rows }, (_, row) => {
    const at = bytes.byteOffset + 4 * row * width;
    return {
      tokens: new Int32Array(bytes.buffer, at, count),
      logits: new Float32Array(bytes.buffer, at + 4 * count, count),
      allFinite: new Int32Array(bytes.buffer, at + 8 * count, 1)[0] === 0,
      ...(sums && { logSumExp: sums[row]! }),
    };
  });
}

async function sumsOf(device: Device, logits: Tensor, buffer: Tensor): Promise<Float32Array> {
  const rows = logits.shape[0]!;
  const sums = device.view(buffer, [rows]);
  device.run('logSumExp', [logits], sums, {});
  const bytes = await device.read(sums);
  return new Float32Array(bytes.buffer, bytes.byteOffset, rows);
}
