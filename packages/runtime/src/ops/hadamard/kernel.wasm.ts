// Items are groups. The fast transform: sums and differences of neighbours, of pairs, and so on up to halves.

/** args: x, y, size, factor (f32) */
export function hadamard(args: usize, begin: usize, end: usize, scratch: usize): void {
  const bytes: usize = <usize>load<u32>(args, 8) * 4;
  const factor = v128.load32_splat(args, 12);
  for (let item = begin; item < end; item++) {
    const x = <usize>load<u32>(args) + item * bytes;
    const y = <usize>load<u32>(args, 4) + item * bytes;
    for (let at: usize = 0; at < bytes; at += 16) v128.store(y + at, ofFour(f32x4.mul(v128.load(x + at), factor)));
    for (let half: usize = 16; half < bytes; half *= 2)
      for (let start: usize = 0; start < bytes; start += 2 * half) combine(y + start, half);
  }
}

@inline function ofFour(v: v128): v128 {
  const pairs = f32x4.add(f32x4.mul(v, f32x4(1, -1, 1, -1)), v128.shuffle<f32>(v, v, 1, 0, 3, 2));
  return f32x4.add(f32x4.mul(pairs, f32x4(1, 1, -1, -1)), v128.shuffle<f32>(pairs, pairs, 2, 3, 0, 1));
}

/** Two neighbouring halves of `half` bytes become their sum and their difference. */
@inline function combine(at: usize, half: usize): void {
  for (let i = at; i < at + half; i += 16) {
    const a = v128.load(i);
    const b = v128.load(i + half);
    v128.store(i, f32x4.add(a, b));
    v128.store(i + half, f32x4.sub(a, b));
  }
}
