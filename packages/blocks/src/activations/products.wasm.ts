// Four stored weights of each of four rows, a byte each (`quad`: bytes 4r … 4r + 3 are those of row r), against four
// activations (row.wasm.ts): lane r of a sum belongs to row r. In two instruction sets:
// - plain SIMD: bytes fall apart into even and odd ones without being widened, and i32x4.dot_i16x8_s adds products of
//   neighbours; activations are 16-bit words;
// - relaxed SIMD: one instruction multiplies 16 pairs of bytes and adds them to the sum; activations are bytes. One side
//   must be signed, the other below 128, or engines may differ.
// Both give the same exact sum.
import { LOW_BYTE, NIBBLES, SECOND_NIBBLE, THIRD_NIBBLE, WORD_NIBBLE } from './constants.wasm';

/** Bytes from four activations to the next four, of the operand for unsigned codes. */
export const QUAD: usize = ASC_FEATURE_RELAXED_SIMD ? 4 : 8;
/** And of the one for signed codes. */
export const SIGNED_QUAD: usize = 8;

/** sum + Σ w · x of unsigned bytes below 128. */
@inline
export function addQuad(sum: v128, quad: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load32_splat(x), quad, sum);
  return i32x4.add(
    i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(quad, v128.load(LOW_BYTE)), v128.load32_splat(x))),
    i32x4.dot_i16x8_s(i16x8.shr_u(quad, 8), v128.load32_splat(x, 4)),
  );
}

// Signed bytes are summed in two parts, `signedTotal` of which is the sum. In plain SIMD the first one holds 256 times the
// even products, which saves shifting them down; in relaxed SIMD the parts are those of positive and negative activations.

@inline
export function addFirst(sum: v128, quad: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(quad, v128.load32_splat(x), sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.shl(quad, 8), v128.load32_splat(x)));
}

@inline
export function addSecond(sum: v128, quad: v128, x: usize): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(quad, v128.load32_splat(x, 4), sum);
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.shr_s(quad, 8), v128.load32_splat(x, 4)));
}

@inline
export function signedTotal(first: v128, second: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i32x4.sub(first, second);
  return i32x4.add(i32x4.shr_s(first, 8), second);
}

/** Sixteen bytes of a table; codes below 16. */
@inline
export function lookUp(table: v128, codes: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, codes);
  return i8x16.swizzle(table, codes);
}

/**
 * Sums of unsigned nibbles of 8 rows: `quads` groups of 32 bytes at `q`, whose low nibbles meet the activations at `x` and
 * whose high ones those after them. Stores at `out`: low of rows 0–3, of rows 4–7, high of both.
 */
@inline
export function nibbleSums(q: usize, quads: usize, x: usize, out: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) nibbleSumsRelaxed(q, quads, x, out);
  else nibbleSumsPlain(q, quads, x, out);
}

@inline
function nibbleSumsRelaxed(q: usize, quads: usize, x: usize, out: usize): void {
  const nibbles = v128.load(NIBBLES);
  let low0 = i32x4.splat(0), low1 = low0, high0 = low0, high1 = low0;
  let above = x + 4 * quads;
  for (const end = q + 32 * quads; q < end; q += 32) {
    const first = v128.load32_splat(x), second = v128.load32_splat(above);
    let packed = v128.load(q);
    low0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(first, v128.and(packed, nibbles), low0);
    high0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(second, v128.and(i16x8.shr_u(packed, 4), nibbles), high0);
    packed = v128.load(q, 16);
    low1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(first, v128.and(packed, nibbles), low1);
    high1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(second, v128.and(i16x8.shr_u(packed, 4), nibbles), high1);
    x += 4;
    above += 4;
  }
  v128.store(out, low0); v128.store(out, low1, 16);
  v128.store(out, high0, 32); v128.store(out, high1, 48);
}

/** The four nibbles of a 16-bit word are summed as they lie: the second one counts 16 times, the third one 256 times. */
@inline
function nibbleSumsPlain(q: usize, quads: usize, x: usize, out: usize): void {
  const nibble = v128.load(WORD_NIBBLE), second = v128.load(SECOND_NIBBLE), third = v128.load(THIRD_NIBBLE);
  let a0 = i32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  let above = x + 8 * quads;
  for (const end = q + 32 * quads; q < end; q += 32) {
    const u = v128.load(q), v = v128.load(q, 16);
    let even = v128.load32_splat(x), odd = v128.load32_splat(x, 4);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(v128.and(u, nibble), even));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(v128.and(v, nibble), even));
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v128.and(u, third), odd));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v128.and(v, third), odd));
    even = v128.load32_splat(above); odd = v128.load32_splat(above, 4);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(v128.and(u, second), even));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(v128.and(v, second), even));
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(i16x8.shr_u(u, 12), odd));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(i16x8.shr_u(v, 12), odd));
    x += 8;
    above += 8;
  }
  v128.store(out, i32x4.add(a0, i32x4.shr_s(b0, 8))); v128.store(out, i32x4.add(a1, i32x4.shr_s(b1, 8)), 16);
  v128.store(out, i32x4.add(i32x4.shr_s(c0, 4), d0), 32); v128.store(out, i32x4.add(i32x4.shr_s(c1, 4), d1), 48);
}
