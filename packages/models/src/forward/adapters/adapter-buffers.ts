// The memory that pairs pass through: what A gives, what B makes of it, and the scale of every row for each adapter. The rows
// that logits are wanted of are others than the tokens, so the output matrix has its own.
import { embeddingName, type LoraPair } from '../../adapter/lora.ts';
import type { BufferShape } from '../buffers.ts';
import type { AdaptableWeight } from './adaptable.ts';

/** A pair of one of the adapters, for a weight that a device holds. */
export interface PlacedPair extends AdaptableWeight {
  /** Number of the adapter. */
  readonly adapter: number;
  readonly pair: LoraPair;
}

/** What rows are of: all tokens, or those whose logits are wanted. */
export type RowKind = 'token' | 'output';

export const lowBuffer = (of: RowKind): string => `what A gives, by ${of}`;
export const sumBuffer = (of: RowKind): string => `what B gives, by ${of}`;
export const scaleBuffer = (of: RowKind, adapter: number): string => `scales of adapter ${adapter}, by ${of}`;

export const rowsOf = (weight: string): RowKind => (weight === 'output.weight' ? 'output' : 'token');

export function adapterBuffers(pairs: readonly PlacedPair[]): [name: string, shape: BufferShape][] {
  const shapes = new Map<string, BufferShape>();
  const widen = (name: string, per: RowKind, width: number): void => {
    const widest = Math.max(width, shapes.get(name)?.width ?? 0);
    shapes.set(name, { dtype: 'F32', per, rows: 1, width: widest, label: 'adapters' });
  };
  for (const { adapter, pair, used } of pairs) {
    const of = rowsOf(pair.weight);
    widen(lowBuffer(of), of, pair.rank * used);
    widen(sumBuffer(of), of, pair.b.shape.at(-2)! * used);
    widen(scaleBuffer(of, adapter), of, 1);
  }
  return [...shapes];
}

/** Bytes of the pairs on a device: F32, whatever they are stored as. */
export const pairBytes = ({ pair: { a, b } }: PlacedPair): number => 4 * (a.rows * a.cols + b.rows * b.cols);

export const isEmbedding = ({ weight }: LoraPair): boolean => weight === embeddingName;
