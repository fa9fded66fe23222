import type { ReferenceCall } from '../op.ts';

export function addReference({ f32, y }: ReferenceCall<'add'>): void {
  const a = f32('a');
  const b = f32('b');
  for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
}
