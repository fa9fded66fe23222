import type { ReferenceCall } from '../op.ts';

export function addExpertBiasReference({ dims, f32, i32, y }: ReferenceCall<'addExpertBias'>): void {
  const R = dims.R!;
  const [x, bias, ids] = [f32('x'), f32('bias'), i32('ids')];
  for (let i = 0; i < y.length; i++) y[i] = x[i]! + bias[ids[Math.floor(i / R)]! * R + (i % R)]!;
}
