// d and m of Q4_1 and Q5_1 in the form of the k-quants: x = d · q − dmin · 1, so dmin is −m.
import { loadHalves } from '../activations/rows8.wasm';

/** Eight d, then eight dmin. */
@inline
export function loadAffineUnits(group: usize, to: usize): void {
  loadHalves(group, to);
  loadHalves(group + 16, to + 32);
  v128.store(to, f32x4.neg(v128.load(to, 32)), 32);
  v128.store(to, f32x4.neg(v128.load(to, 48)), 48);
}
