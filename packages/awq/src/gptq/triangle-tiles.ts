// The upper triangle of a square matrix in tiles of 128 × 128 f64, tile row by tile row: half the bytes of the square, and
// what is multiplied together lies together. Shared, so that threads work on it.

/** Rows and columns of a tile. */
export const edge = 128;

export class TriangleTiles {
  /** Rows and columns of the matrix. Beyond them the last tiles are those of an identity matrix. */
  readonly size: number;
  /** Tiles along a side. */
  readonly count: number;
  readonly buffer: SharedArrayBuffer;

  constructor(size: number, buffer?: SharedArrayBuffer) {
    this.size = size;
    this.count = Math.ceil(size / edge);
    this.buffer = buffer ?? new SharedArrayBuffer(triangleBytes(size));
    if (!buffer)
      for (let i = size % edge; i > 0 && i < edge; i++) this.tile(this.count - 1, this.count - 1)[i * edge + i] = 1;
  }

  /** Element (row, col) of the tile in tile row `i`, tile column `j` ≥ i, is at row · 128 + col. */
  tile(i: number, j: number): Float64Array {
    const index = (i * (2 * this.count - i + 1)) / 2 + j - i;
    return new Float64Array(this.buffer, 8 * edge * edge * index, edge * edge);
  }

  /** Fills the upper triangle, tiles on the diagonal whole. */
  fill(value: (row: number, col: number) => number): void {
    const { size, count } = this;
    for (let i = 0; i < count; i++)
      for (let j = i; j < count; j++) {
        const tile = this.tile(i, j);
        const [rows, cols] = [Math.min(edge, size - i * edge), Math.min(edge, size - j * edge)];
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < cols; c++) tile[r * edge + c] = value(i * edge + r, j * edge + c);
      }
  }

  /** row ≤ col */
  at(row: number, col: number): number {
    return this.tile(Math.floor(row / edge), Math.floor(col / edge))[(row % edge) * edge + (col % edge)]!;
  }
}

export function triangleBytes(size: number): number {
  const count = Math.ceil(size / edge);
  return 8 * edge * edge * ((count * (count + 1)) / 2);
}
