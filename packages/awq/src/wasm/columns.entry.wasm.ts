// GPTQ within a block of columns (../gptq/round-block.ts), four rows at a time in F32.
//   values [count][height]: column by column; a column that is rounded becomes its error
//   shares [count][128]: U's tile on the diagonal
// `height` is a multiple of 4.

/** Rows that go through all columns together: 128 columns of them fit the first cache. */
const WINDOW: usize = 64;

/** First address that is free for data. */
export function heapBase(): usize {
  return __heap_base;
}

/**
 * Rounds the columns from … to−1 and takes their errors from those behind, up to `count`.
 * @param scales [height] of the group that the columns belong to, as `zeros`
 * @param codes [count][height] bytes
 */
export function roundColumns(
  values: usize,
  scales: usize,
  zeros: usize,
  shares: usize,
  codes: usize,
  height: usize,
  from: usize,
  to: usize,
  count: usize,
  top: f32,
): void {
  for (let row: usize = 0; row < height; row += WINDOW) {
    const rows = min(WINDOW, height - row);
    for (let i = from; i < to; i++) {
      const column = values + 4 * (i * height + row);
      const own = shares + 4 * (128 * i);
      roundColumn(column, scales + 4 * row, zeros + 4 * row, load<f32>(own + 4 * i), codes + i * height + row, rows, top);
      for (let next = i + 1; next < count; next++)
        takeShare(values + 4 * (next * height + row), column, load<f32>(own + 4 * next), rows);
    }
  }
}

/** code = round(w / scale) + zero within 0 … top; w becomes (w − (code − zero) · scale) / pivot. */
@inline
function roundColumn(w: usize, scales: usize, zeros: usize, pivot: f32, codes: usize, rows: usize, top: f32): void {
  const least = f32x4.splat(0), most = f32x4.splat(top), pivots = f32x4.splat(pivot);
  for (const end = w + 4 * rows; w < end; w += 16) {
    const value = v128.load(w), scale = v128.load(scales), zero = v128.load(zeros);
    const steps = f32x4.add(f32x4.nearest(f32x4.div(value, scale)), zero);
    const code = f32x4.min(f32x4.max(steps, least), most);
    v128.store(w, f32x4.div(f32x4.sub(value, f32x4.mul(f32x4.sub(code, zero), scale)), pivots));
    const words = i32x4.trunc_sat_f32x4_s(code);
    const halves = i16x8.narrow_i32x4_s(words, words);
    v128.store_lane<i32>(codes, i8x16.narrow_i16x8_u(halves, halves), 0);
    scales += 16;
    zeros += 16;
    codes += 4;
  }
}

/** w −= share · error */
@inline
function takeShare(w: usize, error: usize, share: f32, rows: usize): void {
  const shares = f32x4.splat(share);
  for (const end = w + 4 * rows; w < end; w += 16) {
    v128.store(w, f32x4.sub(v128.load(w), f32x4.mul(shares, v128.load(error))));
    error += 16;
  }
}
