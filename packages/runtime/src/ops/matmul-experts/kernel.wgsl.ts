// Of many slots the products are computed expert by expert (group-slots.wgsl.ts); of few, slot by slot. Rows of experts that
// lie in another buffer of w are the work of another dispatch.
import { rowBytes } from '@quern/blocks';
import type { Dispatch, Rows, WgslKernel } from '../../webgpu/kernel.ts';
import { teamOf } from '../../webgpu/team.ts';
import type { DotProducts } from '../matmul/dot-products.wgsl.ts';
import { roundedBytes, roundedParts, roundRows } from '../matmul/rounded-activations.wgsl.ts';
import { TILE_ROWS } from '../matmul/tile.ts';
import { chooseTile } from '../matmul/tile-choice.wgsl.ts';
import { fewSlots, manySlots } from './expert-products.wgsl.ts';
import { GROUPED_BYTES, groupSlots, tileCount } from './group-slots.wgsl.ts';

/** Slots per expert from which on they are grouped, and from which on a tile is not mostly empty. */
const GROUPED = 2;
const MANY = 16;

export const matmulExpertsWgsl: WgslKernel<'matmulExperts'> = ({ dims, capabilities, weight, aligned, ranges }) => {
  const { N, C, E, R, T, used } = dims as Record<'N' | 'C' | 'E' | 'R' | 'T' | 'used', number>;
  const type = weight('w');
  const integers = capabilities.integers && type.integers !== undefined;
  const vectors = !integers && C % 4 === 0 && aligned('x');
  const team = teamOf(64, capabilities);
  const xRows = N / T; // per token

  const productsOf = (tokens: Rows): Dispatch[] => {
    const slots = tokens.count * used;
    const grouped = slots >= GROUPED * E;
    const tile = slots >= MANY * E ? chooseTile(type, slots / E, integers, capabilities) : undefined;
    const size = tile?.tokens ?? (grouped ? 4 : 1);
    const few: DotProducts = { type, team, rows: team.lanes > 1 ? 4 : 1, tokens: size, integers };
    const tiles = grouped ? tileCount(slots, E, size) : slots;
    const rows = tile ? TILE_ROWS : few.rows;

    const recordBytes = integers ? roundedBytes(tokens.count * xRows, C) : 0;
    const list_at = recordBytes / GROUPED_BYTES;
    const at = { list_at, tiles_at: list_at + slots };
    const scratchBytes = recordBytes + (grouped ? GROUPED_BYTES * (slots + tiles) : 0);
    const products = ranges(E * R, ['w']).map((w) => ({
      shader: tile ? manySlots(tile) : fewSlots(few, grouped, vectors),
      rows: { x: tokens, ids: tokens, y: tokens, w },
      fields: {
        ...at,
        slots_per_row: used / xRows,
        first: w.first,
        count: w.count,
        row_bytes: rowBytes(type.dtype, C),
      },
      items: tiles * Math.ceil(R / rows),
    }));
    const x = { first: tokens.first * xRows, count: tokens.count * xRows, of: N };
    return [
      ...(integers ? [roundRows(x, C, type.dtype.blockSize, capabilities)] : []),
      ...(grouped ? [groupSlots(tokens, used, E, size, at)] : []),
      ...products,
    ].map((dispatch) => ({ ...dispatch, scratchBytes }));
  };
  return ranges(T, ['x', 'ids', 'y'])
    .flatMap((tokens) => (integers ? roundedParts(tokens, xRows * C, capabilities) : [tokens]))
    .flatMap(productsOf);
};
