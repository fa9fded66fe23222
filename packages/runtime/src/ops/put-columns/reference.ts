import type { ReferenceCall } from '../op.ts';

export function putColumnsReference({ dims, params: { first }, f32, y }: ReferenceCall<'putColumns'>): void {
  const { M, N, C, W } = dims as Record<'M' | 'N' | 'C' | 'W', number>;
  const x = f32('x');
  for (let n = 0; n < N; n++) {
    const m = Math.floor((n * M) / N);
    y.set(x.subarray(m * W, (m + 1) * W), n * C + first);
  }
}
