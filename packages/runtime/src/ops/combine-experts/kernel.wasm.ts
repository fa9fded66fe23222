// Items are tokens.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: weights, x, y, used, C */
export function combineExperts(args: usize, begin: usize, end: usize, scratch: usize): void {
  const used: usize = load<u32>(args, 12);
  const cols: usize = load<u32>(args, 16);
  for (let t = begin; t < end; t++) {
    const weights = <usize>load<u32>(args) + t * used * 4;
    const x = <usize>load<u32>(args, 4) + t * used * cols * 4;
    const y = <usize>load<u32>(args, 8) + t * cols * 4;
    for (let c: usize = 0; c < cols; c += 4) {
      const count = cols - c;
      let sum = f32x4.splat(0);
      for (let n: usize = 0; n < used; n++) {
        const v = loadLanes(x + (n * cols + c) * 4, count);
        sum = f32x4.add(sum, f32x4.mul(v, v128.load32_splat(weights + n * 4)));
      }
      storeLanes(y + c * 4, sum, count);
    }
  }
}
