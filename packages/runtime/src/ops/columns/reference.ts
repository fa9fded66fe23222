import type { ReferenceCall } from '../op.ts';

export function columnsReference({ dims, params: { first }, f32, y }: ReferenceCall<'columns'>): void {
  const { N, C, W } = dims as Record<'N' | 'C' | 'W', number>;
  const x = f32('x');
  for (let n = 0; n < N; n++) y.set(x.subarray(n * C + first, n * C + first + W), n * W);
}
