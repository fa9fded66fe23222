import type { ReferenceCall } from '../op.ts';

export function matmulReference({ dims, f32, row, has, y }: ReferenceCall<'matmul'>): void {
  const { T, C, R } = dims as { T: number; C: number; R: number };
  const x = f32('x');
  const bias = has('bias') ? f32('bias') : undefined;
  const weights = new Float32Array(C);
  for (let r = 0; r < R; r++) {
    row('w', r, weights);
    for (let t = 0; t < T; t++) {
      let sum = bias?.[r] ?? 0;
      for (let c = 0; c < C; c++) sum += x[t * C + c]! * weights[c]!;
      y[t * R + r] = sum;
    }
  }
}
