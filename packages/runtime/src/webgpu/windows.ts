// Which part of which buffer an operand's rows are.
import { QuernError } from '@quern/errors';
import type { Span } from '../memory/tensor-table.ts';
import type { Rows } from './kernel.ts';
import { BINDING_ALIGNMENT, roundUp, type Shard, type Storage } from './storage.ts';

/** Part of a buffer as it is bound. */
export interface Window {
  readonly shard: Shard;
  readonly offset: number;
  readonly size: number;
  /** Bytes from `offset` to the first row. */
  readonly skip: number;
}

/**
 * Cuts `rows` into ranges in each of which every span lies in one buffer.
 * @throws QuernError `device-binding-limit` when a row itself is cut
 */
export function rangesOf(op: string, rows: number, spans: readonly Span<Storage>[]): readonly Rows[] {
  const cuts = new Set([0, rows]);
  for (const span of spans) {
    const { shards } = span.storage;
    if (shards.length === 1) continue;
    const rowBytes = span.byteLength / rows;
    for (const { first } of shards) {
      const at = first - span.byteOffset;
      if (at <= 0 || at >= span.byteLength) continue;
      if (at % rowBytes) throw cut(op, span);
      cuts.add(at / rowBytes);
    }
  }
  const sorted = [...cuts].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => ({ first: sorted[i]!, count: end - sorted[i]!, of: rows }));
}

/** @throws QuernError `device-binding-limit` when the rows lie in more than one buffer */
export function windowOf(op: string, span: Span<Storage>, rows: Rows | undefined): Window {
  const rowBytes = rows ? span.byteLength / rows.of : 0;
  const start = span.byteOffset + (rows ? rows.first * rowBytes : 0);
  const length = rows ? rows.count * rowBytes : span.byteLength;
  const { shards } = span.storage;
  const shard = shards.length === 1 ? shards[0]! : shards.find(({ first, byteLength }) => start < first + byteLength)!;
  if (start + length > shard.first + shard.byteLength) throw cut(op, span);
  const at = start - shard.first;
  const offset = at - (at % BINDING_ALIGNMENT);
  return { shard, offset, size: roundUp(at - offset + length, 16), skip: at - offset };
}

function cut(op: string, { storage, byteLength }: Span<Storage>): QuernError {
  const largest = Math.max(...storage.shards.map((shard) => shard.byteLength));
  return new QuernError(
    'device-binding-limit',
    `${op}: an operand of ${byteLength} bytes lies in buffers of up to ${largest} bytes, the most this adapter binds, and this op needs it in one.`,
    { remedy: 'Use a shorter context or smaller batches, or another device.' },
  );
}

/** The parts of a byte range by buffer: `at` in the buffer, `from` in the range. */
export function partsOf({ storage, byteOffset, byteLength }: Span<Storage>) {
  return storage.shards.flatMap(({ buffer, first, byteLength: size }) => {
    const start = Math.max(byteOffset, first);
    const end = Math.min(byteOffset + byteLength, first + size);
    return start < end ? [{ buffer, at: start - first, from: start - byteOffset, length: end - start }] : [];
  });
}
