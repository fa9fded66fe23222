import type { ReferenceCall } from '../op.ts';

export function matmulExpertsReference({ dims, f32, i32, row, y }: ReferenceCall<'matmulExperts'>): void {
  const { N, C, E, R, T, used } = dims as Record<'N' | 'C' | 'E' | 'R' | 'T' | 'used', number>;
  const x = f32('x');
  const ids = i32('ids');
  const slotsPerRow = (T * used) / N;
  const weights = new Float32Array(C);
  for (let expert = 0; expert < E; expert++) {
    const slots = Array.from(ids.keys()).filter((slot) => ids[slot] === expert);
    if (slots.length === 0) continue;
    for (let r = 0; r < R; r++) {
      row('w', expert * R + r, weights);
      for (const slot of slots) {
        const first = Math.floor(slot / slotsPerRow) * C;
        let sum = 0;
        for (let c = 0; c < C; c++) sum += x[first + c]! * weights[c]!;
        y[slot * R + r] = sum;
      }
    }
  }
}
