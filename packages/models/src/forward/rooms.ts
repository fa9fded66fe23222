// From the spec of a part to its room. Only here the types of the rooms are let go: a spec belongs to the room that its
// kind names, and what a room asks for it gets back under the same roles.
import type { Tensor } from '@quern/runtime';
import { feedForwards } from './feed-forwards/index.ts';
import { mixers } from './mixers/index.ts';
import type { RoomSpec } from './network.ts';
import type { Room } from './room.ts';

export type ByRole<Value> = Readonly<Record<string, Value>>;
export type AnyRoom = Room<RoomSpec, ByRole<Tensor>, ByRole<Tensor>, ByRole<Tensor>>;

const rooms: Readonly<Record<RoomSpec['kind'], unknown>> = { ...mixers, ...feedForwards };

export const roomOf = (spec: RoomSpec): AnyRoom => rooms[spec.kind] as AnyRoom;
