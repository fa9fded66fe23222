import type { ReferenceCall } from '../op.ts';

export function layerNormReference({ dims, params, f32, has, y }: ReferenceCall<'layerNorm'>): void {
  const { N, C } = dims as { N: number; C: number };
  const x = f32('x');
  const weight = has('weight') ? f32('weight') : new Float32Array(C).fill(1);
  const bias = has('bias') ? f32('bias') : new Float32Array(C);
  for (let n = 0; n < N; n++) {
    const row = x.slice(n * C, (n + 1) * C);
    const mean = row.reduce((sum, value) => sum + value, 0) / C;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / C;
    const factor = 1 / Math.sqrt(variance + params.eps);
    for (let c = 0; c < C; c++) y[n * C + c] = (row[c]! - mean) * factor * weight[c]! + bias[c]!;
  }
}
