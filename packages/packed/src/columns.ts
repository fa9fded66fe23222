// Columns of a stored matrix, through tiles (tile-cache.ts).
import type { StoredTensor } from './stored-tensor.ts';
import type { Tile, TileCache } from './tile-cache.ts';

const CHUNK_BYTES = 2 ** 20;
/** Columns that are written side by side while a tile is turned: their lines stay in the cache. */
const STRIPE = 16;

/** Reads whole columns of a matrix whose numbers are 2 or 4 bytes wide. */
export interface Columns {
  /** Column `index`, top to bottom: a view of the tile, not to be changed. */
  column(index: number): Promise<Tile>;
}

export function columnsOf(tensor: StoredTensor, tiles: TileCache): Columns {
  const { rows, cols, dtype, name, file } = tensor;
  const width = dtype.typeSize;
  const tileCols = Math.min(cols, Math.max(1, Math.floor(tiles.limits.tileBytes / (rows * width))));

  return {
    async column(index) {
      const first = index - (index % tileCols);
      const count = Math.min(tileCols, cols - first);
      const key = `${file}\0${name}\0${first}`;
      const tile = await tiles.get(key, rows * count * width, () => gather(tensor, first, count));
      const at = (index - first) * rows;
      return tile.subarray(at, at + rows);
    },
  };
}

/** Columns `first …`, turned: tile[column · rows + row]. */
async function gather(tensor: StoredTensor, first: number, count: number): Promise<Tile> {
  const { rows, cols, rowBytes, dtype } = tensor;
  const View = dtype.typeSize === 2 ? Uint16Array : Uint32Array;
  const tile = new View(rows * count);
  const chunkRows = Math.min(rows, Math.max(1, Math.floor(CHUNK_BYTES / rowBytes)));
  const bytes = new Uint8Array(chunkRows * rowBytes);
  const words = new View(bytes.buffer);
  for (let begin = 0; begin < rows; begin += chunkRows) {
    const end = Math.min(rows, begin + chunkRows);
    await tensor.readRows(begin, end - begin, bytes.subarray(0, (end - begin) * rowBytes));
    for (let stripe = 0; stripe < count; stripe += STRIPE) {
      const stripeEnd = Math.min(count, stripe + STRIPE);
      for (let row = begin; row < end; row++) {
        const from = (row - begin) * cols + first;
        for (let column = stripe; column < stripeEnd; column++) tile[column * rows + row] = words[from + column];
      }
    }
  }
  return tile;
}
