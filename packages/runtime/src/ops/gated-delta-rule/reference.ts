// The recurrent form of transformers' torch_recurrent_gated_delta_rule, states as f32 from token to token.
import type { ReferenceCall } from '../op.ts';

export function gatedDeltaRuleReference({ dims, params, f32, i32, y }: ReferenceCall<'gatedDeltaRule'>): void {
  const { T, row, heads, kDim, vDim, decays } = dims as Record<
    'T' | 'row' | 'heads' | 'kDim' | 'vDim' | 'decays',
    number
  >;
  const { kHeads, neighbours = 1, scale, normEps } = params;
  const [qkv, decay, beta, state] = [f32('qkv'), f32('decay'), f32('beta'), f32('state')];
  const [seq, slots] = [i32('seq'), i32('slots')];
  const perHead = decays / heads;
  const normed = (first: number) => {
    const x = Array.from(qkv.subarray(first, first + kDim));
    const factor = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, normEps));
    return x.map((value) => value * factor);
  };
  for (let t = 0; t < T; t++)
    for (let h = 0; h < heads; h++) {
      const keyHead = Math.floor(h / neighbours) % kHeads;
      const q = normed(t * row + keyHead * kDim);
      const k = normed(t * row + (kHeads + keyHead) * kDim);
      const v = t * row + 2 * kHeads * kDim + h * vDim;
      const own = (slots[seq[t]!]! * heads + h) * kDim * vDim;
      const factors = q.map((_, i) => Math.exp(decay[t * decays + h * perHead + (perHead > 1 ? i : 0)]!));
      for (let j = 0; j < vDim; j++) {
        let known = 0;
        for (let i = 0; i < kDim; i++) known += factors[i]! * state[own + i * vDim + j]! * k[i]!;
        const delta = (qkv[v + j]! - known) * beta[t * heads + h]!;
        let sum = 0;
        for (let i = 0; i < kDim; i++) {
          const at = own + i * vDim + j;
          state[at] = factors[i]! * state[at]! + k[i]! * delta;
          sum += state[at]! * q[i]!;
        }
        y[(t * heads + h) * vDim + j] = sum * scale;
      }
    }
}
