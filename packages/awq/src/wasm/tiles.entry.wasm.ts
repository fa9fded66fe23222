// Products of tiles of 128 × 128 f64, for the factorization in ../gptq. The right factor is packed first into panels of
// four columns, [32][128][4], so that the inner loop reads it from end to end.
const EDGE: usize = 128;
const ROW: usize = 8 * EDGE;
const PANEL: usize = 32 * EDGE;

/** First address that is free for tiles. */
export function heapBase(): usize {
  return __heap_base;
}

/** Panels of the tile at `src`. */
export function pack(src: usize, dst: usize): void {
  for (let k: usize = 0; k < EDGE; k++) {
    let to = dst + 32 * k;
    for (const end = src + ROW; src < end; src += 32) {
      v128.store(to, v128.load(src));
      v128.store(to, v128.load(src, 16), 16);
      to += PANEL;
    }
  }
}

/** Panels of the transpose of the tile at `src`. */
export function packTransposed(src: usize, dst: usize): void {
  for (let panel: usize = 0; panel < EDGE / 4; panel++) {
    for (const end = src + ROW; src < end; src += 16) {
      const a = v128.load(src), b = v128.load(src, ROW), c = v128.load(src, 2 * ROW), d = v128.load(src, 3 * ROW);
      v128.store(dst, v128.shuffle<i64>(a, b, 0, 2));
      v128.store(dst, v128.shuffle<i64>(c, d, 0, 2), 16);
      v128.store(dst, v128.shuffle<i64>(a, b, 1, 3), 32);
      v128.store(dst, v128.shuffle<i64>(c, d, 1, 3), 48);
      dst += 64;
    }
    src += 3 * ROW;
  }
}

/** c += sign · a b, with b packed and sign 1 or −1; each product is summed over k in order. */
export function addProduct(a: usize, packed: usize, c: usize, sign: f64): void {
  for (const end = a + EDGE * ROW; a < end; a += 4 * ROW) {
    let b = packed;
    for (const rowEnd = c + ROW; c < rowEnd; c += 32) {
      addFourByFour(a, b, c, sign);
      b += PANEL;
    }
    c += 3 * ROW;
  }
}

/** Four rows of a against one panel: sixteen sums in eight vectors. */
@inline
function addFourByFour(a: usize, b: usize, c: usize, sign: f64): void {
  let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (const end = a + ROW; a < end; a += 8) {
    const left = v128.load(b), right = v128.load(b, 16);
    let x = v128.load64_splat(a);
    s0 = f64x2.add(s0, f64x2.mul(x, left));
    s1 = f64x2.add(s1, f64x2.mul(x, right));
    x = v128.load64_splat(a, ROW);
    s2 = f64x2.add(s2, f64x2.mul(x, left));
    s3 = f64x2.add(s3, f64x2.mul(x, right));
    x = v128.load64_splat(a, 2 * ROW);
    s4 = f64x2.add(s4, f64x2.mul(x, left));
    s5 = f64x2.add(s5, f64x2.mul(x, right));
    x = v128.load64_splat(a, 3 * ROW);
    s6 = f64x2.add(s6, f64x2.mul(x, left));
    s7 = f64x2.add(s7, f64x2.mul(x, right));
    b += 32;
  }
  const signs = f64x2.splat(sign);
  addTo(c, s0, s1, signs);
  addTo(c + ROW, s2, s3, signs);
  addTo(c + 2 * ROW, s4, s5, signs);
  addTo(c + 3 * ROW, s6, s7, signs);
}

@inline
function addTo(c: usize, left: v128, right: v128, signs: v128): void {
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(signs, left)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(signs, right)), 16);
}
