// Slots (slots.ts) grouped by expert, so that a batch reads each expert's rows once per tile of slots. The ids were written
// by the router on the device, so the device groups them. In scratch memory, one vector of words each:
//   list    the slots, those of expert 0 first
//   tiles   (expert, first place in the list, slots in the tile or 0)
// Expert e with `before` slots in front of its own has its tiles from number ⌊before / size⌋ + e on. Up to the next expert's
// there are as many places as it can need, so no lane waits for another: ⌊slots / size⌋ + experts in all.
import type { Dispatch, Rows, Shader } from '../../webgpu/kernel.ts';
import { single } from '../../webgpu/team.ts';

export const GROUPED_BYTES = 16;

export const tileCount = (slots: number, experts: number, size: number): number => Math.floor(slots / size) + experts;

/** Where the list and the tiles are, as numbers of vectors in scratch memory; fields of this name are wanted. */
export interface Places {
  readonly list_at: number;
  readonly tiles_at: number;
}

export const groupSlots = (tokens: Rows, used: number, experts: number, size: number, at: Places): Dispatch => ({
  shader: grouping(size),
  rows: { ids: tokens },
  fields: { ...at, slots: tokens.count * used },
  items: experts,
});

/** An item is an expert. */
const grouping = (size: number): Shader => ({
  name: `grouped slots ${size}`,
  parts: () => ({
    inputs: ['ids'],
    fields: ['slots', 'list_at', 'tiles_at'],
    team: single,
    scratch: 'vec4<u32>',
    scratchOnly: true,
    body: `
  var before = 0u;
  var own = 0u;
  for (var slot = 0u; slot < p.slots; slot++) {
    let id = get_ids(slot);
    before += u32(id < item);
    own += u32(id == item);
  }
  let first_tile = before / ${size}u;
  for (var tile = first_tile; tile <= (before + own) / ${size}u; tile++) {
    let done = (tile - first_tile) * ${size}u;
    scratch[p.tiles_at + tile + item] = vec4<u32>(item, before + done, min(own - min(own, done), ${size}u), 0u);
  }
  var place = p.list_at + before;
  for (var slot = 0u; slot < p.slots; slot++) {
    if (get_ids(slot) == item) {
      scratch[place] = vec4<u32>(slot);
      place++;
    }
  }`,
  }),
});
