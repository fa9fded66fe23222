import type { ReferenceCall } from '../op.ts';

export function attentionReference({ dims, params, f32, i32, row, y }: ReferenceCall<'attention'>): void {
  const { T, maxBlocks } = dims as { T: number; maxBlocks: number };
  const { heads, kvHeads, headDim, scale, blockTokens, window } = params;
  const q = f32('q');
  const [keys, values] = [decodedRows(row, 'kCache', kvHeads * headDim), decodedRows(row, 'vCache', kvHeads * headDim)];
  const [table, seq, pos] = [i32('blockTable'), i32('seq'), i32('pos')];
  for (let t = 0; t < T; t++) {
    const last = pos[t]!;
    const first = window === undefined ? 0 : Math.max(0, last - window + 1);
    const cells = Array.from({ length: last - first + 1 }, (_, i) => {
      const p = first + i;
      return table[seq[t]! * maxBlocks + Math.floor(p / blockTokens)]! * blockTokens + (p % blockTokens);
    });
    const [keyRows, valueRows] = [cells.map(keys), cells.map(values)];
    for (let h = 0; h < heads; h++) {
      const query = (t * heads + h) * headDim;
      const from = Math.floor(h / (heads / kvHeads)) * headDim;
      const scores = keyRows.map((key) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += q[query + d]! * key[from + d]!;
        return dot * scale;
      });
      const max = scores.reduce((a, b) => Math.max(a, b));
      const weights = scores.map((score) => Math.exp(score - max));
      const total = weights.reduce((a, b) => a + b);
      for (let d = 0; d < headDim; d++) {
        let sum = 0;
        for (let i = 0; i < weights.length; i++) sum += weights[i]! * valueRows[i]![from + d]!;
        y[query + d] = sum / total;
      }
    }
  }
}

/** Rows of a cache as floats, each decoded when it is first asked for. */
function decodedRows(decode: ReferenceCall['row'], operand: string, kvDim: number): (cell: number) => Float32Array {
  const rows = new Map<number, Float32Array>();
  return (cell) => {
    let values = rows.get(cell);
    if (!values) {
      values = new Float32Array(kvDim);
      decode(operand, cell, values);
      rows.set(cell, values);
    }
    return values;
  };
}
