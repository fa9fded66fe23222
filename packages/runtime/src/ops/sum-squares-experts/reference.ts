// The sums are f32 here too, as those of sumSquares.
import type { ReferenceCall } from '../op.ts';

export function sumSquaresExpertsReference({ dims, f32, i32, y }: ReferenceCall<'sumSquaresExperts'>): void {
  const { N, C, T, used } = dims as { N: number; C: number; T: number; used: number };
  const x = f32('x');
  const slotsPerRow = (T * used) / N;
  for (const [slot, expert] of i32('ids').entries()) {
    const row = Math.floor(slot / slotsPerRow);
    for (let c = 0; c < C; c++) {
      const value = x[row * C + c]!;
      y[expert * C + c] = y[expert * C + c]! + Math.fround(value * value);
    }
  }
}
