// Which positions of its sequence a token attends to. A span without holes, so two numbers say it.
import type { OpParams } from '../index.ts';

export interface Positions {
  readonly first: number;
  readonly last: number;
}

/** What token t of the batch sees: back to its window's or its chunk's beginning; forward where the text is whole. */
export function visiblePositions(
  { window = Infinity, chunk = Infinity, causal = true }: Pick<OpParams['attention'], 'window' | 'chunk' | 'causal'>,
  seq: Int32Array,
  pos: Int32Array,
): (token: number) => Positions {
  const ends = causal ? undefined : lastPositions(seq, pos);
  return (token) => {
    const own = pos[token]!;
    const chunkStart = chunk === Infinity ? 0 : own - (own % chunk);
    const first = Math.max(chunkStart, own - window + 1);
    const last = ends ? Math.min(ends.get(seq[token]!)!, own + window - 1, chunkStart + chunk - 1) : own;
    return { first, last };
  };
}

/** The largest position of each sequence of the batch. */
export function lastPositions(seq: Int32Array, pos: Int32Array): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  for (let t = 0; t < seq.length; t++) ends.set(seq[t]!, Math.max(pos[t]!, ends.get(seq[t]!) ?? 0));
  return ends;
}
