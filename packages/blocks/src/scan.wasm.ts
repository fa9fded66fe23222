// Looks over floats for what must not pass in silence. Magnitudes are compared as integers: the order of F32 bit patterns
// without the sign is the order of magnitudes, with the infinities above all numbers and NaNs above the infinities.

/** Bits of the largest magnitude among `count` floats; 0x7F800000 or more means that some are not finite. */
export function largestMagnitude(src: usize, count: usize): u32 {
  const end = src + count * 4;
  const end16 = src + (count & ~15) * 4;
  const mask = i32x4.splat(0x7fffffff);
  let largest0 = i64x2.splat(0);
  let largest1 = largest0;
  while (src < end16) {
    largest0 = i32x4.max_s(largest0, v128.and(v128.load(src), mask));
    largest1 = i32x4.max_s(largest1, v128.and(v128.load(src, 16), mask));
    largest0 = i32x4.max_s(largest0, v128.and(v128.load(src, 32), mask));
    largest1 = i32x4.max_s(largest1, v128.and(v128.load(src, 48), mask));
    src += 64;
  }
  largest0 = i32x4.max_s(largest0, largest1);
  largest0 = i32x4.max_s(largest0, v128.shuffle<i32>(largest0, largest0, 2, 3, 0, 1));
  largest0 = i32x4.max_s(largest0, v128.shuffle<i32>(largest0, largest0, 1, 0, 3, 2));
  let largest: u32 = i32x4.extract_lane(largest0, 0);
  while (src < end) {
    largest = max<u32>(largest, load<u32>(src) & 0x7fffffff);
    src += 4;
  }
  return largest;
}

/** How many of `count` floats are NaN or infinite. */
export function countNonFinite(src: usize, count: usize): u32 {
  let found: u32 = 0;
  for (let i: usize = 0; i < count; i++) {
    if ((load<u32>(src + 4 * i) & 0x7f800000) == 0x7f800000) found++;
  }
  return found;
}

/** Index of the first NaN or infinity among `count` floats; `count` when all are finite. */
export function firstNonFinite(src: usize, count: usize): u32 {
  let i: usize = 0;
  while (i < count && (load<u32>(src + 4 * i) & 0x7f800000) != 0x7f800000) i++;
  return <u32>i;
}

/** The largest magnitude among `count` two-byte numbers whose top bit is the sign, as bits. */
export function largestMagnitude16(src: usize, count: usize): u32 {
  const end = src + count * 2;
  const end16 = src + (count & ~15) * 2;
  const mask = i16x8.splat(0x7fff);
  let largest0 = i64x2.splat(0);
  let largest1 = largest0;
  while (src < end16) {
    largest0 = i16x8.max_s(largest0, v128.and(v128.load(src), mask));
    largest1 = i16x8.max_s(largest1, v128.and(v128.load(src, 16), mask));
    src += 32;
  }
  largest0 = i16x8.max_s(largest0, largest1);
  let largest: u32 = 0;
  while (src < end) {
    largest = max<u32>(largest, load<u16>(src) & 0x7fff);
    src += 2;
  }
  const high = i16x8.max_s(largest0, v128.shuffle<i16>(largest0, largest0, 4, 5, 6, 7, 0, 1, 2, 3));
  largest = max<u32>(largest, max<u32>(i16x8.extract_lane_u(high, 0), i16x8.extract_lane_u(high, 1)));
  return max<u32>(largest, max<u32>(i16x8.extract_lane_u(high, 2), i16x8.extract_lane_u(high, 3)));
}
