// A row of F32, BF16 or F16 weights, read where it is stored, against one token: the sums of float-panel.wasm.ts.
import { F32 } from './decoders.wasm';

const F16: u32 = 1;
const BF16: u32 = 30;
/** Sign, five bits of exponent and ten of mantissa of an F16 that was shifted into the place of an F32's. */
const HALF_BITS = memory.data<u32>([0x8fffe000, 0x8fffe000, 0x8fffe000, 0x8fffe000], 16);
/** 2^112, what such a number is too small by. */
const SCALE = memory.data<u32>([0x77800000, 0x77800000, 0x77800000, 0x77800000], 16);

/** Whether `dotRow` takes this type; of F16 only finite numbers, whose exponents need no care. */
@inline
export function isPlain(type: u32, finite: bool): bool {
  return type == F32 || type == BF16 || (type == F16 && finite);
}

/** x · w of `count` numbers. */
export function dotRow(type: u32, x: usize, w: usize, count: usize): f32 {
  if (type == F32) return dot<f32>(x, w, count);
  return type == BF16 ? dot<u16>(x, w, count) : dot<i16>(x, w, count);
}

/** Stored numbers by the type they are loaded as: f32, BF16 as u16, F16 as i16. */
@inline
function load4<Stored>(at: usize): v128 {
  if (isFloat<Stored>()) return v128.load(at);
  if (!isSigned<Stored>()) return i32x4.shl(v128.load16x4_u(at), 16);
  return f32x4.mul(v128.and(i32x4.shl(v128.load16x4_s(at), 13), v128.load(HALF_BITS)), v128.load(SCALE));
}

@inline
function load1<Stored>(at: usize): f32 {
  if (isFloat<Stored>()) return load<f32>(at);
  if (!isSigned<Stored>()) return reinterpret<f32>(<u32>load<u16>(at) << 16);
  return f32x4.extract_lane(
    f32x4.mul(v128.and(i32x4.shl(i32x4.splat(load<i16>(at)), 13), v128.load(HALF_BITS)), v128.load(SCALE)),
    0,
  );
}

@inline
function dot<Stored>(x: usize, w: usize, count: usize): f32 {
  const size = sizeof<Stored>();
  let a = f32x4.splat(0), b = a;
  for (const end = w + size * (count & ~7); w < end; w += 8 * size) {
    a = f32x4.add(a, f32x4.mul(v128.load(x), load4<Stored>(w)));
    b = f32x4.add(b, f32x4.mul(v128.load(x, 16), load4<Stored>(w + 4 * size)));
    x += 32;
  }
  if (count & 4) {
    a = f32x4.add(a, f32x4.mul(v128.load(x), load4<Stored>(w)));
    x += 16;
    w += 4 * size;
  }
  const sum = f32x4.add(a, b);
  let total = f32x4.extract_lane(sum, 0) + f32x4.extract_lane(sum, 1)
    + (f32x4.extract_lane(sum, 2) + f32x4.extract_lane(sum, 3));
  for (let i: usize = 0; i < (count & 3); i++) total += load<f32>(x + 4 * i) * load1<Stored>(w + size * i);
  return total;
}

/** Whether `count` F16 numbers are all finite. */
export function areFinite(halves: usize, count: usize): bool {
  let largest = i64x2.splat(0);
  const magnitude = i16x8.splat(0x7fff);
  for (const end = halves + 2 * (count & ~7); halves < end; halves += 16)
    largest = i16x8.max_s(largest, v128.and(v128.load(halves), magnitude));
  for (const end = halves + 2 * (count & 7); halves < end; halves += 2)
    largest = i16x8.max_s(largest, i16x8.splat(load<u16>(halves) & 0x7fff));
  return !v128.any_true(i16x8.gt_s(largest, i16x8.splat(0x7bff)));
}
