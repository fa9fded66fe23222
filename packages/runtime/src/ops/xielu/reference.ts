import type { ReferenceCall } from '../op.ts';

export function xieluReference({ params, f32, y }: ReferenceCall<'xielu'>): void {
  const { alphaP, alphaN, beta, eps } = params;
  for (const [i, x] of f32('x').entries())
    y[i] = (x > 0 ? alphaP * x * x : alphaN * (Math.expm1(Math.min(x, eps)) - x)) + beta * x;
}
