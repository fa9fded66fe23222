import type { ReferenceCall } from '../op.ts';

export function hadamardReference({ params: { size }, f32, y }: ReferenceCall<'hadamard'>): void {
  const x = f32('x').slice(); // y may be x
  for (let first = 0; first < y.length; first += size)
    for (let i = 0; i < size; i++) {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += signOf(i & j) * x[first + j]!;
      y[first + i] = sum / Math.sqrt(size);
    }
}

/** 1 for an even number of ones, -1 for an odd one. */
function signOf(bits: number): number {
  let sign = 1;
  for (let rest = bits; rest; rest &= rest - 1) sign = -sign;
  return sign;
}
