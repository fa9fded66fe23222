/** Bytes of a row of activations rounded to 8 bits: the layout of @quern/blocks src/activations/row.wasm.ts, in whole
 * cache lines. */
export const roundedRowBytes = (cols: number, blockSize: number): number =>
  Math.ceil((5 * cols + (4 * cols) / blockSize + (3 * cols) / 16) / 64) * 64;
