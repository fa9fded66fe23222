// Eight rows of weights side by side, as the integer kernels read them: one stream of memory, vector lanes that are rows,
// no sums across lanes. The bytes are those of the stored blocks in another order, so that the way back is exact.
//
// The blocks that eight rows have at one place become a group, and groups follow each other in the order of the blocks. A
// group is made of units of 1, 2 or 4 bytes, each of all eight rows: quantized codes are units of four, F16 numbers of two,
// packed scales of one. Which units follow each other a type says (`PARTS_<Type>` in its room), so that a kernel reads
// memory from front to back, which is up to four times as fast: a sequence of
//   repeat, size, n, offset × n        `repeat` times the units at the n offsets of the stored block, which then advance
// and a 0.
//
// What kernels share on top of that: F16 numbers of eight rows, and the arithmetic after the products.
import { f16ToF32x4 } from '../half.wasm';

export const ROWS: usize = 8;

/** One group. The blocks of its rows begin at `stored`, `rowBytes` apart; `back` moves from the group to them. */
export function moveGroup(parts: usize, stored: usize, rowBytes: usize, group: usize, back: bool): void {
  for (let repeat = <usize>load<u8>(parts); repeat; repeat = <usize>load<u8>(parts)) {
    const size = <usize>load<u8>(parts, 1), offsets = <usize>load<u8>(parts, 2);
    parts += 3;
    for (let i: usize = 0; i < repeat * size; i += size) {
      for (let part: usize = 0; part < offsets; part++) {
        const at = stored + i + <usize>load<u8>(parts + part);
        if (size == 4) moveUnit<u32>(at, rowBytes, group, back);
        else if (size == 2) moveUnit<u16>(at, rowBytes, group, back);
        else moveUnit<u8>(at, rowBytes, group, back);
        group += ROWS * size;
      }
    }
    parts += offsets;
  }
}

/** One unit of eight rows. */
@inline
function moveUnit<Unit>(at: usize, rowBytes: usize, group: usize, back: bool): void {
  for (const end = group + ROWS * sizeof<Unit>(); group < end; group += sizeof<Unit>()) {
    if (back) store<Unit>(at, load<Unit>(group));
    else store<Unit>(group, load<Unit>(at));
    at += rowBytes;
  }
}

/** The block of one row of a group → `to`. */
export function moveBlock(parts: usize, group: usize, row: usize, to: usize): void {
  for (let repeat = <usize>load<u8>(parts); repeat; repeat = <usize>load<u8>(parts)) {
    const size = <usize>load<u8>(parts, 1), offsets = <usize>load<u8>(parts, 2);
    parts += 3;
    for (let i: usize = 0; i < repeat * size; i += size) {
      for (let part: usize = 0; part < offsets; part++) {
        memory.copy(to + i + <usize>load<u8>(parts + part), group + row * size, size);
        group += ROWS * size;
      }
    }
    parts += offsets;
  }
}

const MAGNITUDE = memory.data<u16>([0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff, 0x7fff], 16);
const LEAST_NORMAL = memory.data<u16>([0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400, 0x0400], 16);
const LARGEST = memory.data<u16>([0x7bff, 0x7bff, 0x7bff, 0x7bff, 0x7bff, 0x7bff, 0x7bff, 0x7bff], 16);
/** The difference of the exponents' biases, in the upper half of an F32. */
const REBIAS = memory.data<u16>([0x3800, 0x3800, 0x3800, 0x3800, 0x3800, 0x3800, 0x3800, 0x3800], 16);
/** One step of the exponent there, and 2^-14. */
const EXPONENT = memory.data<u16>([0x0080, 0x0080, 0x0080, 0x0080, 0x0080, 0x0080, 0x0080, 0x0080], 16);
const LEAST = memory.data<u16>([0x3880, 0x3880, 0x3880, 0x3880, 0x3880, 0x3880, 0x3880, 0x3880], 16);

/**
 * Eight F16 → eight F32. Scales of k-quants are often subnormal: those are read as 2^-14 · 1.f, less 2^-14. No F32 on the way
 * is subnormal, which would be slow.
 */
@inline
export function loadHalves(src: usize, dst: usize): void {
  const halves = v128.load(src), magnitude = v128.load(MAGNITUDE);
  const magnitudes = v128.and(halves, magnitude), sign = v128.andnot(halves, magnitude);
  if (v128.any_true(i16x8.gt_s(magnitudes, v128.load(LARGEST)))) {
    loadAnyHalves(src, dst);
    return;
  }
  const small = i16x8.lt_s(magnitudes, v128.load(LEAST_NORMAL));
  const rebias = i16x8.add(v128.load(REBIAS), v128.and(small, v128.load(EXPONENT)));
  const upper = v128.or(i16x8.add(i16x8.shr_u(magnitudes, 3), rebias), sign), lower = i16x8.shl(halves, 13);
  const less = v128.and(small, v128.or(v128.load(LEAST), sign)), zero = i64x2.splat(0);
  v128.store(
    dst,
    f32x4.sub(
      v128.shuffle<u16>(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11),
      v128.shuffle<u16>(zero, less, 0, 8, 1, 9, 2, 10, 3, 11),
    ),
  );
  v128.store(
    dst,
    f32x4.sub(
      v128.shuffle<u16>(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15),
      v128.shuffle<u16>(zero, less, 4, 12, 5, 13, 6, 14, 7, 15),
    ),
    16,
  );
}

/** Eight of which some are infinite or NaN. */
function loadAnyHalves(src: usize, dst: usize): void {
  v128.store(dst, f16ToF32x4(v128.load16x4_u(src)));
  v128.store(dst, f16ToF32x4(v128.load16x4_u(src, 8)), 16);
}

/** total + step · (d · sum) */
@inline
export function addBlock(total: v128, step: v128, d: v128, sum: v128): v128 {
  return f32x4.add(total, f32x4.mul(step, f32x4.mul(d, f32x4.convert_i32x4_s(sum))));
}

/** total + step · (d · sum − dmin · below) */
@inline
export function addBlockWithMin(total: v128, step: v128, d: v128, sum: v128, dmin: v128, below: v128): v128 {
  const value = f32x4.mul(d, f32x4.convert_i32x4_s(sum));
  return f32x4.add(total, f32x4.mul(step, f32x4.sub(value, f32x4.mul(dmin, f32x4.convert_i32x4_s(below)))));
}

/** sum + scale · part; eight 16-bit scales, of which the first or the last four are meant. */
@inline
export function addScaledLow(sum: v128, scales: v128, part: v128): v128 {
  return i32x4.add(sum, i32x4.mul(part, i32x4.extend_low_i16x8_s(scales)));
}

@inline
export function addScaledHigh(sum: v128, scales: v128, part: v128): v128 {
  return i32x4.add(sum, i32x4.mul(part, i32x4.extend_high_i16x8_s(scales)));
}
