import type { ReferenceCall } from '../op.ts';

export function embedReference({ dims, i32, row, y }: ReferenceCall<'embed'>): void {
  const { C } = dims as { C: number };
  const ids = i32('ids');
  for (let t = 0; t < ids.length; t++) row('table', ids[t]!, y.subarray(t * C, (t + 1) * C));
}
