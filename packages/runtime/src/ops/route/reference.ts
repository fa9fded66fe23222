import type { ReferenceCall } from '../op.ts';

export function routeReference({ dims, params, f32, yI32 }: ReferenceCall<'route'>): void {
  const { T, E } = dims as { T: number; E: number };
  for (let t = 0; t < T; t++) {
    const row = f32('logits').subarray(t * E, (t + 1) * E);
    const ranked = Array.from(row.keys()).sort((a, b) => descending(row[a]!, row[b]!) || a - b);
    yI32.set(ranked.slice(0, params.used), t * params.used);
  }
}

/** NaN counts as the largest, as in torch.topk: a broken router stays visible. */
function descending(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a === b ? 0 : b > a ? 1 : -1;
}
