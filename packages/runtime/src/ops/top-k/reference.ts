import type { ReferenceCall } from '../op.ts';

export function topKReference({ dims, params: { count }, f32, yI32 }: ReferenceCall<'topK'>): void {
  const { N, C, W } = dims as { N: number; C: number; W: number };
  for (let n = 0; n < N; n++) {
    const row = f32('x').subarray(n * C, (n + 1) * C);
    const order = Array.from(row.keys()).sort((a, b) => falling(row[a]!, row[b]!) || a - b);
    const highest = order.slice(0, count);
    const bits = new Int32Array(Float32Array.from(highest, (column) => row[column]!).buffer);
    yI32.set([...highest, ...bits, row.filter((value) => !Number.isFinite(value)).length], n * W);
  }
}

function falling(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a === b ? 0 : b > a ? 1 : -1;
}
