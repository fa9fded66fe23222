/** Bytes of a row of activations rounded to 8 bits: the layout of @quern/blocks src/activations/row.wasm.ts, in whole
 * cache lines. */
export const roundedRowBytes = (cols: number, blockSize: number): number =>
  Math.ceil((3 * cols + (4 * cols) / blockSize + cols / 8) / 64) * 64;
