import type { ReferenceCall } from '../op.ts';

export function gatherRowsReference({ dims, f32, i32, y }: ReferenceCall<'gatherRows'>): void {
  const { C } = dims as { C: number };
  const x = f32('x');
  const rows = i32('rows');
  for (let n = 0; n < rows.length; n++) y.set(x.subarray(rows[n]! * C, (rows[n]! + 1) * C), n * C);
}
