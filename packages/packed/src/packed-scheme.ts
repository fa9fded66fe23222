// How the weights of one checkpoint are packed: what its configuration says, understood.
import type { PackedWeight } from './packed-weight.ts';
import type { StoredTensor } from './stored-tensor.ts';
import type { TileCache } from './tile-cache.ts';

export interface PackedScheme {
  /** As the configuration names it: `awq`, `gptq`, `compressed-tensors`, `mlx`, `modelopt`, `fp8`, `mxfp4`. */
  readonly method: string;
  /** One line for people: `AWQ gemm, 4 bits, groups of 128`. */
  readonly description: string;
  /** Finds the packed weights among the stored tensors and proves sizes, dtypes and what the configuration says. */
  open(tensors: ReadonlyMap<string, StoredTensor>, tiles: TileCache): Promise<PackedWeight[]>;
}
