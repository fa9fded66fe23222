import type { ReferenceCall } from '../op.ts';

export function rmsNormReference({ dims, params, f32, has, y }: ReferenceCall<'rmsNorm'>): void {
  const { N, C } = dims as { N: number; C: number };
  const { eps, groups = 1 } = params;
  const size = C / groups;
  const x = f32('x');
  const weight = has('weight') ? f32('weight') : new Float32Array(C).fill(1);
  for (let first = 0; first < N * C; first += size) {
    let sum = 0;
    for (let i = first; i < first + size; i++) sum += x[i]! ** 2;
    const factor = 1 / Math.sqrt(sum / size + eps);
    for (let i = first; i < first + size; i++) y[i] = x[i]! * factor * weight[i % C]!;
  }
}
