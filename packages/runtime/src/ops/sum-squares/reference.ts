// The sums are f32 here too: importance matrices are compared with those of a program that adds this way.
import type { ReferenceCall } from '../op.ts';

export function sumSquaresReference({ dims, f32, y }: ReferenceCall<'sumSquares'>): void {
  const { T, C } = dims as { T: number; C: number };
  const x = f32('x');
  for (let t = 0; t < T; t++)
    for (let c = 0; c < C; c++) {
      const value = x[t * C + c]!;
      y[c] = y[c]! + Math.fround(value * value);
    }
}
