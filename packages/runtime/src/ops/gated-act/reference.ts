import type { ReferenceCall } from '../op.ts';

const silu = (x: number) => x / (1 + Math.exp(-x));
const gelu = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

export function gatedActReference({ params, f32, y }: ReferenceCall<'gatedAct'>): void {
  const act = { silu, gelu }[params.act];
  const gate = f32('gate');
  const up = f32('up');
  for (let i = 0; i < y.length; i++) y[i] = act(gate[i]!) * up[i]!;
}
