// GPTQ's zeros of one output channel: one code in every row of qzeros (layout.ts).
import { QuernError } from '@quern/errors';
import { columnsOf } from '../columns.ts';
import { contradicts, placeOf } from '../proofs.ts';
import type { StoredTensor } from '../stored-tensor.ts';
import type { TileCache } from '../tile-cache.ts';

interface ZeroOptions {
  readonly bits: number;
  readonly symmetric: boolean;
  readonly storesZeroMinusOne: boolean;
}

/**
 * Reads the zeros of channel `row`, one per group.
 * @throws QuernError `packed-zero-ambiguous` for v1's 2^b − 1, `packed-config-contradicts` when `sym` is not true
 */
export function zeroColumns(
  qzeros: StoredTensor,
  tiles: TileCache,
  { bits, symmetric, storesZeroMinusOne }: ZeroOptions,
): (row: number, into: Uint8Array) => Promise<void> {
  const columns = columnsOf(qzeros, tiles);
  const mask = 2 ** bits - 1;
  const middle = 2 ** (bits - 1);
  return async (row, into) => {
    const word = Math.floor((row * bits) / 32);
    const shift = (row * bits) % 32;
    const low = await columns.column(word);
    // A 3-bit code may lie in two words.
    const high = shift + bits > 32 ? await columns.column(word + 1) : undefined;
    for (let g = 0; g < into.length; g++) {
      const stored = ((low[g] >>> shift) | (high ? high[g] << (32 - shift) : 0)) & mask;
      if (storesZeroMinusOne && stored === mask) refuseAmbiguous(qzeros, mask);
      into[g] = storesZeroMinusOne ? stored + 1 : stored;
      if (symmetric && into[g] !== middle) {
        contradicts(qzeros, `sym is true, and ${qzeros.name} holds a zero of ${into[g]} instead of ${middle}.`);
      }
    }
  };
}

function refuseAmbiguous(qzeros: StoredTensor, mask: number): never {
  throw new QuernError(
    'packed-zero-ambiguous',
    `${qzeros.name} holds ${mask}, which some programs read as a zero of 0 and others as ${mask + 1}.`,
    { ...placeOf(qzeros), remedy: 'Export the checkpoint with checkpoint_format "gptq_v2".' },
  );
}
