// The states that a device holds: those of every part of its blocks, allocated with the model.
import type { Device, Tensor } from '@quern/runtime';
import type { BatchLimits } from '../batch-limits.ts';
import type { Network, RoomSpec } from '../network.ts';
import { partsOf } from '../network.ts';
import { type ByRole, roomOf } from '../rooms.ts';
import { allocateState, type StateShape, type StateTensor, stateBytes } from './state-shape.ts';

interface BlockRange {
  readonly firstBlock: number;
  readonly endBlock: number;
}

/** What a part keeps of its own, by role. */
export function statesOf(spec: RoomSpec): ByRole<StateShape> {
  const room = roomOf(spec);
  return (room.stateOf?.(spec) === undefined && room.state?.(spec)) || {};
}

/** Bytes of the states of a device's blocks. */
export function heldStateBytes({ blocks }: Network, limits: BatchLimits, { firstBlock, endBlock }: BlockRange): number {
  let bytes = 0;
  for (const { room } of blocks.slice(firstBlock, endBlock).flatMap(partsOf))
    for (const shape of Object.values(statesOf(room))) bytes += stateBytes(shape, limits);
  return bytes;
}

export class HeldStates {
  /** Every state of the device, in a fixed order. */
  readonly all: readonly StateTensor[];
  readonly #device: Device;
  readonly #byPart: ReadonlyMap<string, ByRole<Tensor>>;

  constructor(device: Device, alloc: Device['alloc'], { blocks }: Network, limits: BatchLimits, range: BlockRange) {
    this.#device = device;
    const all: StateTensor[] = [];
    const byPart = new Map<string, ByRole<Tensor>>();
    const ofKind = new Map<string, ByRole<Tensor>>();
    for (let block = range.firstBlock; block < range.endBlock; block++) {
      for (const [i, { parts }] of blocks[block]!.subLayers.entries())
        for (const [p, { room }] of parts.entries()) {
          const allocated = Object.entries(statesOf(room)).map(([role, shape]) => {
            const state = allocateState(alloc, shape, limits, `${role} state of block ${block}`);
            all.push(state);
            return [role, state.tensor] as const;
          });
          const earlier = roomOf(room).stateOf?.(room);
          const own = earlier === undefined ? Object.fromEntries(allocated) : ofKind.get(`${room.kind} ${earlier}`)!;
          byPart.set(`${block} ${i} ${p}`, own);
          ofKind.set(`${room.kind} ${block}`, own);
        }
    }
    this.all = all;
    this.#byPart = byPart;
  }

  /** Of the parts of a sub-layer. */
  of(block: number, subLayer: number): ByRole<Tensor>[] {
    const found: ByRole<Tensor>[] = [];
    for (let part = 0; ; part++) {
      const state = this.#byPart.get(`${block} ${subLayer} ${part}`);
      if (!state) return found;
      found.push(state);
    }
  }

  /** A sequence begins in the slot: what the last one left there is gone. */
  clearSlot(slot: number): void {
    for (const { tensor, shape } of this.all) {
      if (shape.kind !== 'slot') continue;
      const bytes = 4 * shape.shape.reduce((a, b) => a * b, 1);
      this.#device.write(tensor, new Uint8Array(bytes), slot * bytes);
    }
  }
}
