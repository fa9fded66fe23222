// Items are 16 channels of a sequence, done four at a time. The rows that a token looks back to lie in scratch, those of the
// state at first, and move on with each token.
import { sigmoid4 } from '../../wasm/acts.wasm';
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, weight, state, seq, slots, bias or 0, y, T, C, K, silu (1) or none (0) */
export function causalConv(args: usize, begin: usize, end: usize, scratch: usize): void {
  const channels: usize = load<u32>(args, 32);
  const parts = (channels + 15) / 16;
  for (let item = begin; item < end; item++) {
    const first = (item % parts) * 16;
    const last = min(first + 16, channels);
    for (let c = first; c < last; c += 4) convolve(args, item / parts, c, min(last - c, <usize>4), scratch);
  }
}

/** `count` ≤ 4 channels from `c` on of a sequence. */
function convolve(args: usize, sequence: usize, c: usize, count: usize, scratch: usize): void {
  const tokens: usize = load<u32>(args, 28);
  const rowBytes = <usize>load<u32>(args, 32) * 4;
  const taps: usize = load<u32>(args, 36);
  const kept = taps - 1;
  const seq: usize = load<u32>(args, 12);
  const slot = <usize>load<u32>(<usize>load<u32>(args, 16) + sequence * 4);
  const state = <usize>load<u32>(args, 8) + slot * kept * rowBytes + c * 4;
  const weights = scratch + taps * 16;
  for (let k: usize = 0; k < taps; k++) {
    if (k < kept) v128.store(scratch + k * 16, loadLanes(state + k * rowBytes, count));
    const weight = <usize>load<u32>(args, 4) + (c * taps + k) * 4;
    for (let i: usize = 0; i < 4; i++)
      store<f32>(weights + k * 16 + i * 4, i < count ? load<f32>(weight + i * taps * 4) : 0);
  }
  const bias = load<u32>(args, 20) ? loadLanes(<usize>load<u32>(args, 20) + c * 4, count) : f32x4.splat(0);
  for (let t: usize = 0; t < tokens; t++) {
    if (<usize>load<u32>(seq + t * 4) != sequence) continue;
    const at = t * rowBytes + c * 4;
    const x = loadLanes(<usize>load<u32>(args) + at, count);
    let sum = f32x4.add(f32x4.mul(x, v128.load(weights + kept * 16)), bias);
    v128.store(scratch + kept * 16, x);
    for (let k: usize = 0; k < kept; k++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(scratch + k * 16), v128.load(weights + k * 16)));
      v128.store(scratch + k * 16, v128.load(scratch + k * 16, 16));
    }
    if (load<u32>(args, 40)) sum = f32x4.mul(sum, sigmoid4(sum));
    storeLanes(<usize>load<u32>(args, 24) + at, sum, count);
  }
  for (let k: usize = 0; k < kept; k++) storeLanes(state + k * rowBytes, v128.load(scratch + k * 16), count);
}
