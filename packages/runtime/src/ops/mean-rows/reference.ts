import type { ReferenceCall } from '../op.ts';

export function meanRowsReference({ dims, f32, i32, y }: ReferenceCall<'meanRows'>): void {
  const { T, S, C } = dims as Record<'T' | 'S' | 'C', number>;
  const [x, seq] = [f32('x'), i32('seq')];
  const counts = new Float64Array(S);
  const sums = new Float64Array(S * C);
  for (let t = 0; t < T; t++) {
    counts[seq[t]!]!++;
    for (let c = 0; c < C; c++) sums[seq[t]! * C + c]! += x[t * C + c]!;
  }
  for (let i = 0; i < y.length; i++) y[i] = sums[i]! / Math.max(1, counts[Math.floor(i / C)]!);
}
