// Softmax over the chosen logits alone is the softmax over all of them divided by the sum of the chosen.
import type { ReferenceCall } from '../op.ts';

export function routeWeightsReference({ dims, params, f32, i32, y }: ReferenceCall<'routeWeights'>): void {
  const { T, E, used } = dims as { T: number; E: number; used: number };
  for (let t = 0; t < T; t++) {
    const logits = f32('logits').subarray(t * E, (t + 1) * E);
    const chosen = Array.from(i32('ids').subarray(t * used, (t + 1) * used), (id) => logits[id]!);
    const among = params.over === 'all' ? [...logits] : chosen;
    const max = among.reduce((a, b) => Math.max(a, b));
    const total = among.reduce((sum, logit) => sum + Math.exp(logit - max), 0);
    for (let n = 0; n < used; n++) y[t * used + n] = Math.exp(chosen[n]! - max) / total;
  }
}
