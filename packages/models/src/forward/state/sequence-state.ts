// The states of sequences as their owner sees them: copied to branch a sequence, taken to the host and brought back to
// return to a point of it. Kinds of states and devices do not matter to the caller; all of them are treated alike.
//   a snapshot = the bytes of every state tensor, device by device in the order of the network: of a state in blocks the
//   given ones one after the other, of a state in slots the slot, when one is given
import { QuernError } from '@quern/errors';
import type { BatchLimits } from '../batch-limits.ts';
import type { Rank } from '../rank.ts';
import type { Stage } from '../stage.ts';
import { isInSlots, type StateTensor } from './state-shape.ts';

/** Where a sequence has its state, or a part of it: some of its cache blocks, in order, and its slot unless that is left out. */
export interface SequencePlace {
  readonly blocks: readonly number[];
  readonly slot?: number;
}

export interface SequenceState {
  /**
   * Whether a sequence keeps anything in its slot: then the cache blocks of a prefix alone are not its state, and a copy or
   * a snapshot taken at its very end is needed to go on from there.
   */
  readonly usesSlots: boolean;
  /**
   * Whether tokens can be taken back by computing other ones in their places: not from states that every token changes, which
   * need a snapshot from before.
   */
  readonly rewinds: boolean;
  /** Bytes of a snapshot of so many blocks, with a slot or without. */
  snapshotBytes(blocks: number, withSlot: boolean): number;
  /** Gives `to` the state of `from`; both have as many blocks, and a slot or none. @throws QuernError `state-invalid` */
  copy(from: SequencePlace, to: SequencePlace): Promise<void>;
  /** @throws QuernError `state-invalid` */
  snapshot(place: SequencePlace): Promise<Uint8Array>;
  /** @throws QuernError `state-invalid` when the snapshot is not of so many blocks, or of another model */
  restore(snapshot: Uint8Array, place: SequencePlace): void;
}

interface Piece {
  readonly rank: Rank;
  readonly state: StateTensor;
  readonly offset: number;
  readonly bytes: number;
}

export function sequenceState(stages: readonly Stage[], limits: BatchLimits): SequenceState {
  const ranks = stages.flatMap((stage) => stage.ranks);
  const held = ranks.flatMap((rank) => rank.states.all.map((state) => ({ rank, state })));

  /** Of a slot, or of a block. */
  const unitBytes = ({ shape, tensor }: StateTensor): number =>
    tensor.byteLength / (isInSlots(shape, limits) ? limits.slots : limits.blocks);
  const piecesOf = ({ blocks, slot }: SequencePlace): Piece[] => {
    const usable = (index: number, count: number): boolean => Number.isInteger(index) && index >= 0 && index < count;
    if (!(slot === undefined || usable(slot, limits.slots)) || !blocks.every((block) => usable(block, limits.blocks)))
      throw invalid(`slot ${slot} of ${limits.slots}, blocks ${blocks.join(', ')} of ${limits.blocks}`);
    return held.flatMap(({ rank, state }): Piece[] => {
      const bytes = unitBytes(state);
      if (isInSlots(state.shape, limits))
        return slot === undefined ? [] : [{ rank, state, offset: slot * bytes, bytes }];
      return blocks.map((block) => ({ rank, state, offset: block * bytes, bytes }));
    });
  };
  const snapshot = async (place: SequencePlace): Promise<Uint8Array> => {
    const pieces = piecesOf(place);
    const whole = new Uint8Array(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
    let offset = 0;
    await Promise.all(
      pieces.map(async (piece) => {
        const at = offset;
        offset += piece.bytes;
        whole.set(await piece.rank.device.read(piece.state.tensor, piece.offset, piece.bytes), at);
      }),
    );
    return whole;
  };
  const restore = (bytes: Uint8Array, place: SequencePlace): void => {
    const pieces = piecesOf(place);
    const wanted = pieces.reduce((sum, piece) => sum + piece.bytes, 0);
    if (bytes.length !== wanted) throw invalid(`a snapshot of ${bytes.length} bytes for a state of ${wanted}`);
    let from = 0;
    for (const { rank, state, offset, bytes: length } of pieces) {
      rank.device.write(state.tensor, bytes.subarray(from, from + length), offset);
      from += length;
    }
  };
  return {
    usesSlots: held.some(({ state }) => isInSlots(state.shape, limits)),
    rewinds: held.every(({ state }) => state.shape.kind !== 'slot'),
    snapshotBytes: (blocks, withSlot) =>
      held.reduce(
        (sum, { state }) => sum + unitBytes(state) * (isInSlots(state.shape, limits) ? Number(withSlot) : blocks),
        0,
      ),
    async copy(from, to) {
      if (from.blocks.length !== to.blocks.length || (from.slot === undefined) !== (to.slot === undefined))
        throw invalid(`${from.blocks.length} blocks copied to ${to.blocks.length}, or a slot to none`);
      restore(await snapshot(from), to);
    },
    snapshot,
    restore,
  };
}

const invalid = (what: string): QuernError => new QuernError('state-invalid', `Invalid state of a sequence: ${what}.`);
