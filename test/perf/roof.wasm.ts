// What a machine can do at most, in the same instructions as the kernels: a stream of reads, and products that stay in
// registers, independent of one another.

/** Reads `bytes` (a multiple of 64) from `at` on. */
export function stream(at: usize, bytes: usize): i64 {
  let a = i64x2.splat(0), b = a, c = a, d = a;
  for (const end = at + bytes; at < end; at += 64) {
    a = v128.xor(a, v128.load(at));
    b = v128.xor(b, v128.load(at, 16));
    c = v128.xor(c, v128.load(at, 32));
    d = v128.xor(d, v128.load(at, 48));
  }
  a = v128.xor(v128.xor(a, b), v128.xor(c, d));
  return i64x2.extract_lane(a, 0) ^ i64x2.extract_lane(a, 1);
}

// Eight sums of eight different products; the factors come from memory and change from round to round, so that nothing is
// a constant and nothing can be computed once and for all.

/** `rounds` times 8 multiplications and additions of four floats: 64 floating-point operations. */
export function floatPeak(rounds: usize): f32 {
  let x = v128.load(0), y = v128.load(16);
  const p = v128.load(32), q = v128.load(48), r = v128.load(64), s = v128.load(80);
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (; rounds > 0; rounds--) {
    a = f32x4.add(a, f32x4.mul(x, p)); b = f32x4.add(b, f32x4.mul(x, q));
    c = f32x4.add(c, f32x4.mul(x, r)); d = f32x4.add(d, f32x4.mul(x, s));
    e = f32x4.add(e, f32x4.mul(y, p)); f = f32x4.add(f, f32x4.mul(y, q));
    g = f32x4.add(g, f32x4.mul(y, r)); h = f32x4.add(h, f32x4.mul(y, s));
    const z = x;
    x = y;
    y = z;
  }
  const sum = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  return f32x4.extract_lane(sum, 0);
}

/** `rounds` times 8 sums of products of four pairs of 16 bits: 128 operations. */
export function integerPeak(rounds: usize): i32 {
  let x = v128.load(0), y = v128.load(16);
  const p = v128.load(32), q = v128.load(48), r = v128.load(64), s = v128.load(80);
  let a = i32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (; rounds > 0; rounds--) {
    a = i32x4.add(a, i32x4.dot_i16x8_s(x, p)); b = i32x4.add(b, i32x4.dot_i16x8_s(x, q));
    c = i32x4.add(c, i32x4.dot_i16x8_s(x, r)); d = i32x4.add(d, i32x4.dot_i16x8_s(x, s));
    e = i32x4.add(e, i32x4.dot_i16x8_s(y, p)); f = i32x4.add(f, i32x4.dot_i16x8_s(y, q));
    g = i32x4.add(g, i32x4.dot_i16x8_s(y, r)); h = i32x4.add(h, i32x4.dot_i16x8_s(y, s));
    const z = x;
    x = y;
    y = z;
  }
  const sum = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(i32x4.add(e, f), i32x4.add(g, h)));
  return i32x4.extract_lane(sum, 0);
}
