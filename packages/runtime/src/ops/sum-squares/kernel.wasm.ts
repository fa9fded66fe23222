// Items are 16 columns, whose sums stay in registers while all rows pass by.
import { loadLanes, storeLanes } from '../../wasm/lanes.wasm';

/** args: x, sums, T, C */
export function sumSquares(args: usize, begin: usize, end: usize, scratch: usize): void {
  const x: usize = load<u32>(args);
  const sums: usize = load<u32>(args, 4);
  const cols: usize = load<u32>(args, 12);
  const rowBytes = cols * 4;
  const last = x + <usize>load<u32>(args, 8) * rowBytes;
  for (let item = begin; item < end; item++) {
    const first = item * 16;
    if (first + 16 <= cols) {
      addSixteen(x + first * 4, last, rowBytes, sums + first * 4);
      continue;
    }
    for (let c = first; c < cols; c += 4) addSome(x + c * 4, last, rowBytes, sums + c * 4, cols - c);
  }
}

function addSixteen(x: usize, last: usize, rowBytes: usize, sums: usize): void {
  let a = v128.load(sums);
  let b = v128.load(sums, 16);
  let c = v128.load(sums, 32);
  let d = v128.load(sums, 48);
  for (; x < last; x += rowBytes) {
    const p = v128.load(x);
    const q = v128.load(x, 16);
    const r = v128.load(x, 32);
    const s = v128.load(x, 48);
    a = f32x4.add(a, f32x4.mul(p, p));
    b = f32x4.add(b, f32x4.mul(q, q));
    c = f32x4.add(c, f32x4.mul(r, r));
    d = f32x4.add(d, f32x4.mul(s, s));
  }
  v128.store(sums, a);
  v128.store(sums, b, 16);
  v128.store(sums, c, 32);
  v128.store(sums, d, 48);
}

function addSome(x: usize, last: usize, rowBytes: usize, sums: usize, count: usize): void {
  let sum = loadLanes(sums, count);
  for (; x < last; x += rowBytes) {
    const v = loadLanes(x, count);
    sum = f32x4.add(sum, f32x4.mul(v, v));
  }
  storeLanes(sums, sum, count);
}
