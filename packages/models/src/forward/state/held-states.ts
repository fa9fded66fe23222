// The states that a device holds: those of every part of its blocks, allocated with the model.
import type { Device, Tensor } from '@quern/runtime';
import type { BatchLimits } from '../batch-limits.ts';
import type { Holding } from '../holding.ts';
import type { Network, RoomSpec } from '../network.ts';
import { partsOf } from '../network.ts';
import { type ByRole, roomOf } from '../rooms.ts';
import { allocateState, type StateShape, type StateTensor, stateBytes } from './state-shape.ts';

type Blocks = Pick<Holding, 'firstBlock' | 'endBlock'>;

/** What a part keeps of its own, by role. */
export function statesOf(spec: RoomSpec): ByRole<StateShape> {
  const room = roomOf(spec);
  return (room.stateOf?.(spec) === undefined && room.state?.(spec)) || {};
}

/** Bytes of the states of a device's blocks. */
export function heldStateBytes({ blocks }: Network, limits: BatchLimits, { firstBlock, endBlock }: Blocks): number {
  let bytes = 0;
  for (const { room } of blocks.slice(firstBlock, endBlock).flatMap(partsOf))
    for (const shape of Object.values(statesOf(room))) bytes += stateBytes(shape, limits);
  return bytes;
}

export class HeldStates {
  /** Every state of the device, in a fixed order. */
  readonly all: readonly StateTensor[];
  readonly #device: Device;
  readonly #firstBlock: number;
  /** By block, sub-layer and part. */
  readonly #tensors: readonly (readonly (readonly ByRole<Tensor>[])[])[];

  constructor(device: Device, alloc: Device['alloc'], { blocks }: Network, limits: BatchLimits, held: Blocks) {
    const all: StateTensor[] = [];
    const known = new Map<string, ByRole<Tensor>>();
    const stateOf = (spec: RoomSpec, block: number): ByRole<Tensor> => {
      const earlier = roomOf(spec).stateOf?.(spec);
      if (earlier !== undefined) return known.get(`${spec.kind} ${earlier}`)!;
      const own: Record<string, Tensor> = {};
      for (const [role, shape] of Object.entries(statesOf(spec))) {
        const state = allocateState(alloc, shape, limits, `${role} state of block ${block}`);
        all.push(state);
        own[role] = state.tensor;
      }
      known.set(`${spec.kind} ${block}`, own);
      return own;
    };
    this.all = all;
    this.#device = device;
    this.#firstBlock = held.firstBlock;
    this.#tensors = blocks
      .slice(held.firstBlock, held.endBlock)
      .map(({ subLayers }, i) =>
        subLayers.map(({ parts }) => parts.map(({ room }) => stateOf(room, held.firstBlock + i))),
      );
  }

  /** Of the parts of a sub-layer. */
  of(block: number, subLayer: number): readonly ByRole<Tensor>[] {
    return this.#tensors[block - this.#firstBlock]![subLayer]!;
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
