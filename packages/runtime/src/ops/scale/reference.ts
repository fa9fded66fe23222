import type { ReferenceCall } from '../op.ts';

export function scaleReference({ params, f32, y }: ReferenceCall<'scale'>): void {
  const x = f32('x');
  const factor = Math.fround(params.factor);
  for (let i = 0; i < y.length; i++) y[i] = x[i]! * factor;
}
