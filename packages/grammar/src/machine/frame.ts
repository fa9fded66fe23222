// The stack of calls, one frame on another; equal stacks are one object. A count is in the frame, not in the program, so
// `.{0,65536}` takes no more nodes than `.`: `need` is how often at least, `room` how often at most.
//   call      a rule; behind it the text goes on at `next`
//   repeat    a rule that is entered again until `room` is 0
//   measured  a rule whose characters count
//   bottom    the whole text: the first rule has ended
//   hole      whatever called: what is found above it is true for every caller (tokens/local-mask.ts)
import type { LocalSet } from './local-set.ts';

export interface Frame {
  readonly id: number;
  readonly kind: 'call' | 'repeat' | 'measured' | 'bottom' | 'hole';
  readonly next: LocalSet | null;
  readonly body: LocalSet | null;
  readonly need: number;
  readonly room: number;
  readonly parent: Frame | null;
}

/** Two numbers as one: a set below 2²⁵ and a frame below 2²⁷ are one number in a double. */
export const pairKey = (set: number, frame: number): number => set * 2 ** 27 + frame;

/** Interned frames are forgotten beyond this; those in use live on, and meet their equals again as other objects. */
const maxFrames = 200_000;

export class Frames {
  readonly bottom: Frame = rootFrame(0, 'bottom');
  readonly hole: Frame = rootFrame(1, 'hole');
  /** Counts for a caller that is not known, without bounds. */
  readonly measuredHole: Frame = { ...rootFrame(2, 'measured'), room: Number.POSITIVE_INFINITY };
  #known = new Map<string | number, Frame>();
  #nextId = 3;

  of(
    kind: 'call' | 'repeat' | 'measured',
    { next, body, need, room, parent }: Omit<Frame, 'id' | 'kind'> & { parent: Frame },
  ): Frame {
    const key =
      kind === 'call' && next
        ? pairKey(next.id, parent.id)
        : `${kind}${next?.id ?? ''},${body?.id ?? ''},${need},${room},${parent.id}`;
    let frame = this.#known.get(key);
    if (!frame) {
      if (this.#known.size >= maxFrames) this.#known = new Map();
      frame = { id: this.#nextId++, kind, next, body, need, room, parent };
      this.#known.set(key, frame);
    }
    return frame;
  }

  /** One more repetition or character; null when there is no room for it. */
  counted(frame: Frame): Frame | null {
    if (frame.room === 0) return null;
    const need = Math.max(0, frame.need - 1);
    const room = frame.room - 1; // infinity stays infinite
    if (need === frame.need && room === frame.room) return frame;
    return this.of(frame.kind as 'repeat' | 'measured', { ...frame, need, room, parent: frame.parent! });
  }

  /** The frame above which a byte leads from `before` to `after`; null when its counters forbid that. */
  measured(frame: Frame, before: LocalSet, after: LocalSet): Frame | null {
    if (after.onlyEnds) return frame;
    const above = before.measure?.boundary ? this.counted(frame) : frame;
    const fits = !after.measure || !above || (above.room >= after.measure.least && above.need <= after.measure.most);
    return fits ? above : null;
  }
}

const rootFrame = (id: number, kind: 'bottom' | 'hole' | 'measured'): Frame => ({
  id,
  kind,
  next: null,
  body: null,
  need: 0,
  room: 0,
  parent: null,
});
