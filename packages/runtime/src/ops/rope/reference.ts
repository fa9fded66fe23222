import type { ReferenceCall } from '../op.ts';

export function ropeReference({ dims, params, f32, y }: ReferenceCall<'rope'>): void {
  const { T } = dims as { T: number };
  const { heads, headDim, rotaryDim, style } = params;
  const half = rotaryDim / 2;
  const x = f32('x');
  const cos = f32('cos');
  const sin = f32('sin');
  const step = style === 'norm' ? 2 : 1;
  const partner = style === 'norm' ? 1 : half;
  for (let t = 0; t < T; t++)
    for (let h = 0; h < heads; h++) {
      const head = (t * heads + h) * headDim;
      for (let i = 0; i < half; i++) {
        const first = head + i * step;
        const a = x[first]!;
        const b = x[first + partner]!;
        const c = cos[t * half + i]!;
        const s = sin[t * half + i]!;
        y[first] = a * c - b * s;
        y[first + partner] = a * s + b * c;
      }
      for (let i = rotaryDim; i < headDim; i++) y[head + i] = x[head + i]!;
    }
}
