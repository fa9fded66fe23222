// Softmax over the chosen logits alone is the softmax over all of them divided by the sum of the chosen.
import type { ReferenceCall } from '../op.ts';
import { scoresOf } from '../router-scores.ts';

export function routeWeightsReference({ dims, params, f32, i32, has, y }: ReferenceCall<'routeWeights'>): void {
  const { T, E, used } = dims as { T: number; E: number; used: number };
  const { over, score = 'softmax', scale = 1 } = params;
  const expertScale = has('expertScale') ? f32('expertScale') : new Float32Array(E).fill(1);
  for (let t = 0; t < T; t++) {
    const logits = f32('logits').subarray(t * E, (t + 1) * E);
    const ids = Array.from(i32('ids').subarray(t * used, (t + 1) * used));
    const chosen = Float32Array.from(ids, (id) => logits[id]!);
    let weights = over === 'chosen' ? scoresOf(score, chosen) : ids.map((id) => scoresOf(score, logits)[id]!);
    if (over === 'chosen' && score !== 'softmax') {
      const total = weights.reduce((a, b) => a + b) + 1e-20;
      weights = weights.map((weight) => weight / total);
    }
    for (let n = 0; n < used; n++) y[t * used + n] = scale * expertScale[ids[n]!]! * weights[n]!;
  }
}
