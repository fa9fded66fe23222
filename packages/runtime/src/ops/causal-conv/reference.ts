import { actReference } from '../acts.ts';
import type { ReferenceCall } from '../op.ts';

export function causalConvReference({ dims, params, f32, i32, has, y }: ReferenceCall<'causalConv'>): void {
  const { T, C, K, kept } = dims as Record<'T' | 'C' | 'K' | 'kept', number>;
  const act = params.act === 'silu' ? actReference.silu : (x: number) => x;
  const [x, weight, state, seq, slots] = [f32('x'), f32('weight'), f32('state'), i32('seq'), i32('slots')];
  const bias = has('bias') ? f32('bias') : new Float32Array(C);
  for (let t = 0; t < T; t++) {
    const own = state.subarray(slots[seq[t]!]! * kept * C, (slots[seq[t]!]! + 1) * kept * C);
    for (let c = 0; c < C; c++) {
      let sum = weight[c * K + kept]! * x[t * C + c]! + bias[c]!;
      for (let k = 0; k < kept; k++) sum += weight[c * K + k]! * own[k * C + c]!;
      y[t * C + c] = act(sum);
    }
    own.copyWithin(0, C);
    own.set(x.subarray(t * C, (t + 1) * C), (kept - 1) * C);
  }
}
