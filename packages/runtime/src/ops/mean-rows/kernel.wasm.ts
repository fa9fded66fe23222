// Items are sequences.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, seq, y, T, C */
export function meanRows(args: usize, begin: usize, end: usize, scratch: usize): void {
  const seq: usize = load<u32>(args, 4);
  const tokens: usize = load<u32>(args, 12), cols: usize = load<u32>(args, 16);
  for (let s = begin; s < end; s++) {
    const y = <usize>load<u32>(args, 8) + s * cols * 4;
    memory.fill(y, 0, cols * 4);
    let count: f32 = 0;
    for (let t: usize = 0; t < tokens; t++) {
      if (<usize>load<u32>(seq + t * 4) != s) continue;
      count++;
      const x = <usize>load<u32>(args) + t * cols * 4;
      for (let c: usize = 0; c < cols; c += 4)
        storeLanes(y + c * 4, f32x4.add(loadLanes(y + c * 4, cols - c), loadLanes(x + c * 4, cols - c)), cols - c);
    }
    const factor = f32x4.splat(1 / max<f32>(1, count));
    for (let c: usize = 0; c < cols; c += 4)
      storeLanes(y + c * 4, f32x4.mul(loadLanes(y + c * 4, cols - c), factor), cols - c);
  }
}
