import { actReference } from '../acts.ts';
import type { ReferenceCall } from '../op.ts';

export function actOpReference({ params, f32, y }: ReferenceCall<'act'>): void {
  const x = f32('x');
  for (let i = 0; i < y.length; i++) y[i] = actReference[params.act](x[i]!);
}
