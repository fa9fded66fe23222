import type { ReferenceCall } from '../op.ts';

export function logProbReference({ dims, f32, i32, y }: ReferenceCall<'logProb'>): void {
  const { N, V } = dims as { N: number; V: number };
  const logits = f32('logits');
  const targets = i32('targets');
  for (let n = 0; n < N; n++) {
    let max = -Infinity;
    for (let c = 0; c < V; c++) max = Math.max(max, logits[n * V + c]!);
    let sum = 0;
    for (let c = 0; c < V; c++) sum += Math.exp(logits[n * V + c]! - max);
    y[n] = logits[n * V + targets[n]!]! - max - Math.log(sum);
  }
}
