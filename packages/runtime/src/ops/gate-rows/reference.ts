import type { ReferenceCall } from '../op.ts';

export function gateRowsReference({ dims, f32, y }: ReferenceCall<'gateRows'>): void {
  const { N, C } = dims as { N: number; C: number };
  const x = f32('x');
  const gate = f32('gate');
  for (let n = 0; n < N; n++) {
    const factor = 1 / (1 + Math.exp(-gate[n]!));
    for (let c = 0; c < C; c++) y[n * C + c] = x[n * C + c]! * factor;
  }
}
