import type { ReferenceCall } from '../op.ts';
import { visiblePositions } from './visible.ts';

export function attentionReference({ dims, params, f32, i32, row, has, y }: ReferenceCall<'attention'>): void {
  const { T, maxBlocks, valueDim, valueRow } = dims as Record<'T' | 'maxBlocks' | 'valueDim' | 'valueRow', number>;
  const { heads, kvHeads, headDim, scale, blockTokens, softCap } = params;
  const cap = softCap === undefined ? (s: number) => s : (s: number) => softCap * Math.tanh(s / softCap);
  const q = f32('q');
  const sinks = has('sinks') ? f32('sinks') : undefined;
  const [keys, values] = [decodedRows(row, 'kCache', kvHeads * headDim), decodedRows(row, 'vCache', valueRow)];
  const [table, seq, pos] = [i32('blockTable'), i32('seq'), i32('pos')];
  const visible = visiblePositions(params, seq, pos);
  for (let t = 0; t < T; t++) {
    const { first, last } = visible(t);
    const cells = Array.from({ length: last - first + 1 }, (_, i) => {
      const p = first + i;
      return table[seq[t]! * maxBlocks + Math.floor(p / blockTokens)]! * blockTokens + (p % blockTokens);
    });
    const [keyRows, valueRows] = [cells.map(keys), cells.map(values)];
    for (let h = 0; h < heads; h++) {
      const query = (t * heads + h) * headDim;
      const out = (t * heads + h) * valueDim;
      const kvHead = Math.floor(h / (heads / kvHeads));
      const from = kvHead * headDim;
      const valueFrom = kvHead * (valueRow / kvHeads);
      const scores = keyRows.map((key) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += q[query + d]! * key[from + d]!;
        return cap(dot * scale);
      });
      const max = scores.reduce((a, b) => Math.max(a, b), sinks ? sinks[h]! : -Infinity);
      const weights = scores.map((score) => Math.exp(score - max));
      const total = weights.reduce((a, b) => a + b, sinks ? Math.exp(sinks[h]! - max) : 0);
      for (let d = 0; d < valueDim; d++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * valueRows[i]![valueFrom + d]!;
        y[out + d] = sum / total;
      }
    }
  }
}

/** Rows of a cache as floats, each decoded when it is first asked for. */
function decodedRows(decode: ReferenceCall['row'], operand: string, cols: number): (cell: number) => Float32Array {
  const rows = new Map<number, Float32Array>();
  return (cell) => {
    let values = rows.get(cell);
    if (!values) {
      values = new Float32Array(cols);
      decode(operand, cell, values);
      rows.set(cell, values);
    }
    return values;
  };
}
