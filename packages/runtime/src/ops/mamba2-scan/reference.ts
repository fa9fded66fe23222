import { softplus } from '../acts.ts';
import type { ReferenceCall } from '../op.ts';

export function mamba2ScanReference({ dims, params, f32, i32, y }: ReferenceCall<'mamba2Scan'>): void {
  const { T, row, heads, headDim, stateDim } = dims as Record<'T' | 'row' | 'heads' | 'headDim' | 'stateDim', number>;
  const { groups, dtMin = 0, dtMax = Infinity } = params;
  const [xbc, dt, a, d, state] = [f32('xbc'), f32('dt'), f32('a'), f32('d'), f32('state')];
  const [seq, slots] = [i32('seq'), i32('slots')];
  for (let t = 0; t < T; t++)
    for (let h = 0; h < heads; h++) {
      const step = Math.min(dtMax, Math.max(dtMin, softplus(dt[t * heads + h]!)));
      const factor = Math.exp(step * a[h]!);
      const b = t * row + heads * headDim + Math.floor((h * groups) / heads) * stateDim;
      const c = b + groups * stateDim;
      for (let i = 0; i < headDim; i++) {
        const x = xbc[t * row + h * headDim + i]!;
        const own = ((slots[seq[t]!]! * heads + h) * headDim + i) * stateDim;
        let sum = d[h]! * x;
        for (let n = 0; n < stateDim; n++) {
          state[own + n] = factor * state[own + n]! + step * x * xbc[b + n]!;
          sum += state[own + n]! * xbc[c + n]!;
        }
        y[(t * heads + h) * headDim + i] = sum;
      }
    }
}
