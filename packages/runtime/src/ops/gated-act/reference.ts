import { actReference, sigmoid } from '../acts.ts';
import type { ReferenceCall } from '../op.ts';

export function gatedActReference({ params, f32, y }: ReferenceCall<'gatedAct'>): void {
  const { act, limit = Infinity, alpha = 1, offset = 0 } = params;
  const acted = act === 'silu' ? (g: number) => g * sigmoid(alpha * g) : actReference[act];
  const gate = f32('gate');
  const up = f32('up');
  for (let i = 0; i < y.length; i++)
    y[i] = acted(Math.min(gate[i]!, limit)) * (Math.max(-limit, Math.min(up[i]!, limit)) + offset);
}
