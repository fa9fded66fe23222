// One (token, head) per item, four or two pairs at a time.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, cos, sin, y, heads, headDim, rotaryDim, neox (0 or 1) */
export function rope(args: usize, begin: usize, end: usize, scratch: usize): void {
  const heads: usize = load<u32>(args, 16);
  const headBytes: usize = load<u32>(args, 20) * 4;
  const half: usize = load<u32>(args, 24) / 2;
  const neox = load<u32>(args, 28);
  for (let item = begin; item < end; item++) {
    const x = <usize>load<u32>(args) + item * headBytes;
    const y = <usize>load<u32>(args, 12) + item * headBytes;
    const angles = (item / heads) * half * 4;
    const cos = <usize>load<u32>(args, 4) + angles;
    const sin = <usize>load<u32>(args, 8) + angles;
    if (neox) rotateHalves(x, y, cos, sin, half);
    else rotatePairs(x, y, cos, sin, half);
    if (x != y) memory.copy(y + half * 8, x + half * 8, headBytes - half * 8);
  }
}

function rotateHalves(x: usize, y: usize, cos: usize, sin: usize, half: usize): void {
  for (let i: usize = 0; i < half; i += 4) {
    const count = half - i;
    const at = i * 4;
    const a = loadLanes(x + at, count), b = loadLanes(x + (half + i) * 4, count);
    const c = loadLanes(cos + at, count), s = loadLanes(sin + at, count);
    storeLanes(y + at, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)), count);
    storeLanes(y + (half + i) * 4, f32x4.add(f32x4.mul(a, s), f32x4.mul(b, c)), count);
  }
}

/** Lanes hold a0 b0 a1 b1; with b a swapped and −s s as factors one formula serves both members of a pair. */
function rotatePairs(x: usize, y: usize, cos: usize, sin: usize, half: usize): void {
  const signs = f32x4(-1, 1, -1, 1);
  for (let i: usize = 0; i < half; i += 2) {
    const pairs = min<usize>(2, half - i);
    const c = loadLanes(cos + i * 4, pairs), s = loadLanes(sin + i * 4, pairs);
    const v = loadLanes(x + i * 8, pairs * 2);
    const straight = f32x4.mul(v, v128.shuffle<f32>(c, c, 0, 0, 1, 1));
    const crossed = f32x4.mul(v128.shuffle<f32>(v, v, 1, 0, 3, 2), f32x4.mul(v128.shuffle<f32>(s, s, 0, 0, 1, 1), signs));
    storeLanes(y + i * 8, f32x4.add(straight, crossed), pairs * 2);
  }
}
