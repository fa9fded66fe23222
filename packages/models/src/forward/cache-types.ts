// What keys and values are stored as, apart from each other: fewer bytes for a longer context, at the price of rounding
// (packages/runtime ops/paging.ts names the types, packages/blocks says what each rounds to).
import { dtypeByName } from '@quern/blocks';
import { QuernError } from '@quern/errors';
import { type CacheType, cacheTypes, type Device, type Tensor } from '@quern/runtime';
import { type Network, partsOf } from './network.ts';
import { statesOf } from './state/held-states.ts';

export interface CacheTypes {
  readonly k: CacheType;
  readonly v: CacheType;
}

/** Nothing is rounded. */
export const exactCache: CacheTypes = { k: 'F32', v: 'F32' };

const names = cacheTypes.map((type) => type.toLowerCase()).join(', ');

/** What a parser makes of `cacheFlags` (../flags.ts). */
export interface CacheOptions {
  readonly cacheTypeK?: string;
  readonly cacheTypeV?: string;
}

/** @throws QuernError `usage-bad-cache-type` */
export function readCacheTypes({ cacheTypeK, cacheTypeV }: CacheOptions, usual: CacheTypes): CacheTypes {
  return {
    k: cacheTypeK === undefined ? usual.k : parse('--cache-type-k', cacheTypeK),
    v: cacheTypeV === undefined ? usual.v : parse('--cache-type-v', cacheTypeV),
  };
}

function parse(flag: string, text: string): CacheType {
  const type = cacheTypes.find((known) => known === text.toUpperCase());
  if (type) return type;
  throw new QuernError('usage-bad-cache-type', `${flag} must be one of ${names}, not '${text}'.`);
}

/** `F32`, or `Q8_0 keys and F16 values`. */
export const describeCacheTypes = ({ k, v }: CacheTypes): string => (k === v ? k : `${k} keys and ${v} values`);

/**
 * Heads are read alone, so each must be whole blocks of its type.
 * @throws QuernError `cache-type-unsupported`
 */
export function requireWholeHeads(types: CacheTypes, { blocks }: Network, file: string): void {
  for (const { room } of blocks.flatMap(partsOf))
    for (const shape of Object.values(statesOf(room))) {
      if (shape.kind !== 'paged') continue;
      const { holds, headWidth } = shape;
      const type = holds === 'keys' ? types.k : types.v;
      const { blockSize } = dtypeByName(type);
      if (headWidth % blockSize === 0) continue;
      throw new QuernError(
        'cache-type-unsupported',
        `The cache cannot store ${holds} as ${type}: its blocks of ${blockSize} do not divide heads of ${headWidth} numbers.`,
        { file, remedy: 'Store them as F16 or F32.' },
      );
    }
}

/**
 * Proves that the device stores both types, before anything large is read.
 * @throws QuernError `cache-type-unsupported` naming type and device
 */
export function requireCacheTypes(device: Device, types: CacheTypes): void {
  for (const type of new Set([types.k, types.v])) {
    if (type === 'F32') continue;
    const tensors: Tensor[] = [];
    const alloc = (dtype: string, shape: number[]): Tensor => {
      const tensor = device.alloc(dtype, shape, 'cache type probe');
      tensors.push(tensor);
      return tensor;
    };
    try {
      const paging = [alloc('I32', [1, 1]), alloc('I32', [1]), alloc('I32', [1])];
      device.run('kvWrite', [alloc('F32', [1, 32]), ...paging], alloc(type, [1, 32]), { blockTokens: 1 });
    } catch (cause) {
      throw new QuernError('cache-type-unsupported', `The ${device.name} device cannot store a cache of ${type}.`, {
        cause,
        remedy: 'Use a cache of F32, or another device.',
      });
    } finally {
      for (const tensor of tensors) device.free(tensor);
    }
  }
}
