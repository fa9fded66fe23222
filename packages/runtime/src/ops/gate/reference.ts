import { actReference } from '../acts.ts';
import type { ReferenceCall } from '../op.ts';

export function gateReference({ dims, params, f32, y }: ReferenceCall<'gate'>): void {
  const { C, G } = dims as { C: number; G: number };
  const [x, gate] = [f32('x'), f32('gate')];
  for (let i = 0; i < y.length; i++) y[i] = x[i]! * actReference[params.act](gate[Math.floor(i / (C / G))]!);
}
