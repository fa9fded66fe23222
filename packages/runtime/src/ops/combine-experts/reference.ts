import type { ReferenceCall } from '../op.ts';

export function combineExpertsReference({ dims, f32, y }: ReferenceCall<'combineExperts'>): void {
  const { T, C, used } = dims as { T: number; C: number; used: number };
  const weights = f32('weights');
  const x = f32('x');
  for (let t = 0; t < T; t++)
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let slot = t * used; slot < (t + 1) * used; slot++) sum += weights[slot]! * x[slot * C + c]!;
      y[t * C + c] = sum;
    }
}
