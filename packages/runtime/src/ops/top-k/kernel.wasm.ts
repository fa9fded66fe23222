// Items are rows. The highest so far are kept in order in scratch, values first, then their columns. Sixteen numbers at a time
// are compared with the last of them: of a long row few pass. Rows are read from left to right, so an equal one comes too late.

/** args: x, y, C, count */
export function topK(args: usize, begin: usize, end: usize, scratch: usize): void {
  const cols = load<u32>(args, 8);
  const count = load<u32>(args, 12);
  const columns = scratch + <usize>count * 4;
  for (let n = begin; n < end; n++) {
    const row = <usize>load<u32>(args) + n * cols * 4;
    for (let c: u32 = 0; c < count; c++) insert(scratch, columns, c, load<f32>(row + <usize>c * 4), c);
    const strange = scan(row, count, cols, scratch, columns, count) + strangeIn(row, count);
    const y = <usize>load<u32>(args, 4) + n * <usize>(2 * count + 1) * 4;
    memory.copy(y, columns, <usize>count * 4);
    memory.copy(y + <usize>count * 4, scratch, <usize>count * 4);
    store<u32>(y + <usize>count * 8, strange);
  }
}

/** Looks at the columns from `first` on; gives how many are NaN or infinite. */
function scan(row: usize, first: u32, cols: u32, values: usize, columns: usize, count: u32): u32 {
  const worst = values + <usize>(count - 1) * 4;
  let last = v128.load32_splat(worst);
  const zero = f32x4.splat(0);
  let strange = i32x4.splat(0);
  let c = first;
  for (; c + 16 <= cols; c += 16) {
    const p = row + <usize>c * 4;
    const a = v128.load(p), b = v128.load(p, 16), d = v128.load(p, 32), e = v128.load(p, 48);
    // NaN and infinity times 0 are NaN.
    const nothing = f32x4.add(
      f32x4.add(f32x4.mul(a, zero), f32x4.mul(b, zero)),
      f32x4.add(f32x4.mul(d, zero), f32x4.mul(e, zero)),
    );
    if (v128.any_true(f32x4.ne(nothing, zero))) {
      strange = i32x4.sub(strange, f32x4.ne(f32x4.mul(a, zero), zero));
      strange = i32x4.sub(strange, f32x4.ne(f32x4.mul(b, zero), zero));
      strange = i32x4.sub(strange, f32x4.ne(f32x4.mul(d, zero), zero));
      strange = i32x4.sub(strange, f32x4.ne(f32x4.mul(e, zero), zero));
    }
    const low = v128.and(
      v128.and(f32x4.le(a, last), f32x4.le(b, last)),
      v128.and(f32x4.le(d, last), f32x4.le(e, last)),
    );
    if (i32x4.all_true(low)) continue;
    for (let i: u32 = 0; i < 16; i++) offer(values, columns, count, load<f32>(p + <usize>i * 4), c + i);
    last = v128.load32_splat(worst);
  }
  let total: u32 =
    i32x4.extract_lane(strange, 0) +
    i32x4.extract_lane(strange, 1) +
    i32x4.extract_lane(strange, 2) +
    i32x4.extract_lane(strange, 3);
  total += strangeIn(row + <usize>c * 4, cols - c);
  for (; c < cols; c++) offer(values, columns, count, load<f32>(row + <usize>c * 4), c);
  return total;
}

function strangeIn(p: usize, cols: u32): u32 {
  let total: u32 = 0;
  for (const end = p + <usize>cols * 4; p < end; p += 4) if (load<f32>(p) * 0 != 0) total++;
  return total;
}

/** In place of the last one, if it comes before that. */
@inline
function offer(values: usize, columns: usize, count: u32, value: f32, column: u32): void {
  if (isBefore(value, load<f32>(values + <usize>(count - 1) * 4))) insert(values, columns, count - 1, value, column);
}

/** Among `size` that are in order; what is at place `size` goes. */
function insert(values: usize, columns: usize, size: u32, value: f32, column: u32): void {
  let at = size;
  for (; at > 0; at--) {
    const place = <usize>(at - 1) * 4;
    const before = load<f32>(values + place);
    if (!isBefore(value, before)) break;
    store<f32>(values + place, before, 4);
    store<u32>(columns + place, load<u32>(columns + place), 4);
  }
  store<f32>(values + <usize>at * 4, value);
  store<u32>(columns + <usize>at * 4, column);
}

/** Larger first, NaN last. */
@inline
function isBefore(a: f32, b: f32): bool {
  return a > b || (b != b && a == a);
}
