import type { ReferenceCall } from '../op.ts';

export function softmaxReference({ dims, f32, y }: ReferenceCall<'softmax'>): void {
  const { N, C } = dims as { N: number; C: number };
  const x = f32('x');
  for (let n = 0; n < N; n++) {
    let max = -Infinity;
    for (let c = 0; c < C; c++) max = Math.max(max, x[n * C + c]!);
    const powers = Array.from({ length: C }, (_, c) => Math.exp(x[n * C + c]! - max));
    const total = powers.reduce((a, b) => a + b);
    for (let c = 0; c < C; c++) y[n * C + c] = powers[c]! / total;
  }
}
