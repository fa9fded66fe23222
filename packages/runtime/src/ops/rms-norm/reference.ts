import type { ReferenceCall } from '../op.ts';

export function rmsNormReference({ dims, params, f32, y }: ReferenceCall<'rmsNorm'>): void {
  const { N, C } = dims as { N: number; C: number };
  const x = f32('x');
  const weight = f32('weight');
  for (let n = 0; n < N; n++) {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += x[n * C + c]! ** 2;
    const factor = 1 / Math.sqrt(sum / C + params.eps);
    for (let c = 0; c < C; c++) y[n * C + c] = x[n * C + c]! * factor * weight[c]!;
  }
}
