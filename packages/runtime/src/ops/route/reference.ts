// Scores and sums are rounded to f32, as torch has them: which of two nearly equal experts is larger depends on it.
import type { ReferenceCall } from '../op.ts';
import { scoresOf } from '../router-scores.ts';

export function routeReference({ dims, params, f32, has, yI32 }: ReferenceCall<'route'>): void {
  const { T, E } = dims as { T: number; E: number };
  const { used, score = 'logits', groups = 1, groupsUsed = groups, groupBy = 'two' } = params;
  const bias = has('bias') ? f32('bias') : new Float32Array(E);
  for (let t = 0; t < T; t++) {
    const logits = f32('logits').subarray(t * E, (t + 1) * E);
    const row = score === 'logits' ? Float32Array.from(logits) : Float32Array.from(scoresOf(score, logits));
    for (let e = 0; e < E; e++) row[e] = row[e]! + bias[e]!;
    const size = E / groups;
    const sums = Float32Array.from({ length: groups }, (_, g) => {
      const [first, second = 0] = row.slice(g * size, (g + 1) * size).sort((a, b) => descending(a, b));
      return groupBy === 'two' ? first! + second : first!;
    });
    const open = new Set(ranked(sums).slice(0, groupsUsed));
    const inOpen = row.map((value, e) => (open.has(Math.floor(e / size)) ? value : -Infinity));
    yI32.set(ranked(inOpen).slice(0, used), t * used);
  }
}

const ranked = (row: Float32Array): number[] =>
  Array.from(row.keys()).sort((a, b) => descending(row[a]!, row[b]!) || a - b);

/** NaN counts as the largest, as in torch.topk: a broken router stays visible. */
function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : b > a ? 1 : -1;
}
