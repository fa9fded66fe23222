import type { ReferenceCall } from '../op.ts';

export function logSumExpReference({ dims, f32, y }: ReferenceCall<'logSumExp'>): void {
  const { N, C } = dims as { N: number; C: number };
  const x = f32('x');
  for (let n = 0; n < N; n++) {
    let max = -Infinity;
    for (let c = 0; c < C; c++) max = Math.max(max, x[n * C + c]!);
    let sum = 0;
    for (let c = 0; c < C; c++) sum += Math.exp(x[n * C + c]! - max);
    y[n] = max + Math.log(sum);
  }
}
