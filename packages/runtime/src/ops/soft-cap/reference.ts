import type { ReferenceCall } from '../op.ts';

export function softCapReference({ params: { cap }, f32, y }: ReferenceCall<'softCap'>): void {
  const x = f32('x');
  for (let i = 0; i < y.length; i++) y[i] = cap * Math.tanh(x[i]! / cap);
}
