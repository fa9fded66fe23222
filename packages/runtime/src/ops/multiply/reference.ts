import type { ReferenceCall } from '../op.ts';

export function multiplyReference({ dims, f32, y }: ReferenceCall<'multiply'>): void {
  const { N, C, byRows, byCols } = dims as Record<'N' | 'C' | 'byRows' | 'byCols', number>;
  const [x, by] = [f32('x'), f32('by')];
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      y[n * C + c] = x[n * C + c]! * by[(byRows === 1 ? 0 : n * byCols) + (byCols === 1 ? 0 : c)]!;
}
