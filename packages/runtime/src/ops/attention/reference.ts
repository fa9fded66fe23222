import type { ReferenceCall } from '../op.ts';

export function attentionReference({ dims, params, f32, i32, y }: ReferenceCall<'attention'>): void {
  const { T, maxBlocks } = dims as { T: number; maxBlocks: number };
  const { heads, kvHeads, headDim, scale, blockTokens, window } = params;
  const [q, k, v] = [f32('q'), f32('kCache'), f32('vCache')];
  const [table, seq, pos] = [i32('blockTable'), i32('seq'), i32('pos')];
  for (let t = 0; t < T; t++) {
    const last = pos[t]!;
    const first = window === undefined ? 0 : Math.max(0, last - window + 1);
    const cells = Array.from({ length: last - first + 1 }, (_, i) => {
      const p = first + i;
      return table[seq[t]! * maxBlocks + Math.floor(p / blockTokens)]! * blockTokens + (p % blockTokens);
    });
    for (let h = 0; h < heads; h++) {
      const query = (t * heads + h) * headDim;
      const kvHead = Math.floor(h / (heads / kvHeads));
      const rowOf = (cell: number) => (cell * kvHeads + kvHead) * headDim;
      const scores = cells.map((cell) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += q[query + d]! * k[rowOf(cell) + d]!;
        return dot * scale;
      });
      const max = scores.reduce((a, b) => Math.max(a, b));
      const weights = scores.map((score) => Math.exp(score - max));
      const total = weights.reduce((a, b) => a + b);
      for (let d = 0; d < headDim; d++) {
        let sum = 0;
        for (let i = 0; i < cells.length; i++) sum += weights[i]! * v[rowOf(cells[i]!) + d]!;
        y[query + d] = sum / total;
      }
    }
  }
}
