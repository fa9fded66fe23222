import type { ReferenceCall } from '../op.ts';

export function pickExpertsReference({ dims, i32, yI32 }: ReferenceCall<'pickExperts'>): void {
  const used = dims.used!;
  const table = i32('table');
  for (const [t, token] of i32('tokens').entries())
    yI32.set(table.subarray(token * used, (token + 1) * used), t * used);
}
