// What is kept of tensors whose rows lie across the file. AWQ and GPTQ store [in, out]; a row of the weight is a
// column of the file. So a tile, some columns with all their rows, is gathered in one pass over the tensor, turned,
// and kept until others need the space. The cache belongs to one opened checkpoint: the bound holds for all of its
// tensors together.

export interface TileLimits {
  /** Bytes of a tile; a single column may be larger. */
  readonly tileBytes: number;
  /** Bytes of all tiles together. */
  readonly cacheBytes: number;
}

const MIB = 2 ** 20;
/** A tile of 32 MiB holds all codes of a 4-bit 4096 × 14336 matrix. */
const usual: TileLimits = { tileBytes: 32 * MIB, cacheBytes: 80 * MIB };

export type Tile = Uint16Array | Uint32Array;

export class TileCache {
  readonly limits: TileLimits;
  /** By age: the least recently used comes first. */
  private readonly tiles = new Map<string, { bytes: number; tile: Promise<Tile> }>();
  private bytes = 0;

  constructor(limits: TileLimits = usual) {
    this.limits = limits;
  }

  /** The tile called `key`, of `bytes` bytes, built when it is not there. Two askers share one build. */
  async get(key: string, bytes: number, build: () => Promise<Tile>): Promise<Tile> {
    const known = this.tiles.get(key);
    this.tiles.delete(key);
    if (known) {
      this.tiles.set(key, known);
      return known.tile;
    }
    for (const [oldest, entry] of this.tiles) {
      if (this.bytes + bytes <= this.limits.cacheBytes) break;
      this.tiles.delete(oldest);
      this.bytes -= entry.bytes;
    }
    const entry = { bytes, tile: build() };
    this.tiles.set(key, entry);
    this.bytes += bytes;
    try {
      return await entry.tile;
    } catch (error) {
      if (this.tiles.get(key) === entry) {
        this.tiles.delete(key);
        this.bytes -= bytes;
      }
      throw error;
    }
  }
}
