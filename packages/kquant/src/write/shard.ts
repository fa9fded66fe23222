// Shard i of N of a file to be written: a range of its bytes, from a row of one tensor to a row of another, cut so that
// every shard reads about as many bytes of the input. The cut depends on the plan alone.
import { rowBytes } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import type { GgufLayout } from '@quern/gguf';
import type { Plan, TensorPlan } from '../plan/plan.ts';
import type { RowRange } from './transcode-rows.ts';

export interface ShardNumber {
  /** 1 … count. */
  readonly index: number;
  readonly count: number;
}

export interface TensorRows {
  readonly tensor: TensorPlan;
  readonly range: RowRange;
  /** Where the first of the rows stands in the whole file. */
  readonly offset: number;
}

export interface Shard {
  /** Bytes `begin…end` of the whole file. */
  readonly begin: number;
  readonly end: number;
  readonly rows: readonly TensorRows[];
}

/** `3/8`. @throws QuernError `usage-shard` */
export function parseShard(text: string): ShardNumber {
  const [, index, count] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number);
  if (index !== undefined && count !== undefined && index >= 1 && index <= count && count <= 99_999)
    return { index, count };
  throw new QuernError('usage-shard', `'${text}' names no shard.`, { remedy: 'Write I/N with I from 1 to N: 3/8.' });
}

export function shardOf(plan: Plan, layout: GgufLayout, { index, count }: ShardNumber): Shard {
  const total = plan.totals.bytesIn;
  // BigInt: the product may be beyond 2^53.
  const cut = (k: number): number => Number((BigInt(total) * BigInt(k)) / BigInt(count));
  const [from, to] = [cut(index - 1), cut(index)];
  const rows: TensorRows[] = [];
  let before = 0;
  for (const tensor of plan.tensors) {
    const bytesPerRow = rowBytes(tensor.from, tensor.cols);
    const rowAt = (bytes: number): number =>
      Math.max(0, Math.min(tensor.rows, bytesPerRow === 0 ? 0 : Math.ceil((bytes - before) / bytesPerRow)));
    const first = index === 1 ? 0 : rowAt(from);
    const end = index === count ? tensor.rows : rowAt(to);
    const place = layout.tensors.get(tensor.name)!.offset;
    const offset = place + first * rowBytes(tensor.to, tensor.cols);
    if (end > first) rows.push({ tensor, range: { first, count: end - first }, offset });
    before += tensor.rows * bytesPerRow;
  }
  return { begin: edge(plan, layout, from, index === 1), end: edge(plan, layout, to, index === count), rows };
}

/** The byte of the file at which the input's byte `cut` begins a row. */
function edge(plan: Plan, layout: GgufLayout, cut: number, outermost: boolean): number {
  if (outermost) return cut === 0 ? 0 : layout.fileBytes;
  let before = 0;
  for (const { name, from, to, rows, cols } of plan.tensors) {
    const bytesPerRow = rowBytes(from, cols);
    const row = bytesPerRow === 0 ? rows : Math.max(0, Math.ceil((cut - before) / bytesPerRow));
    if (row < rows) return layout.tensors.get(name)!.offset + row * rowBytes(to, cols);
    before += rows * bytesPerRow;
  }
  return layout.fileBytes;
}
