// How much the large bodies of requests may take together, from their first byte until they are answered. Each has room for all of it before
// it is read, so that none that has begun has to wait for another. Who sends slowly keeps its room only as long as nobody else waits for it.
import { ApiError } from '../api-error.ts';

/** What the sender of a body has done so far. */
export interface BodyPlace {
  /** Of what has come. */
  bytes: number;
  /** Aborted, with an ApiError, when somebody else needs the room of a slow sender. */
  readonly taken: AbortSignal;
  /** All of it has come; what it does not need is given back. */
  complete(): void;
  leave(): void;
}

/** Looks at senders while somebody waits. Time is counted in them, so that a machine that is busy does not count against a sender. */
const lookMs = 500;
/** What must come between two looks, on average. */
const leastBytes = 2 ** 14;
/** How many looks a sender has before it counts. */
const graceLooks = 20;

interface Inside {
  room: number;
  readonly place: BodyPlace;
  readonly takes: AbortController;
  /** While others wait, and what has come since. */
  looks: number;
  bytesBefore: number;
}

export class BodyRoom {
  #free: number;
  readonly #receiving = new Set<Inside>();
  readonly #waiting: { readonly room: number; enter(): void }[] = [];
  #watch?: NodeJS.Timeout;

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Waits for its turn. @param signal the client goes @throws its reason */
  enter(room: number, signal: AbortSignal): Promise<BodyPlace> {
    return new Promise((resolve, reject) => {
      const leaveQueue = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(turn), 1);
        reject(signal.reason);
        this.#next();
      };
      const turn = {
        room,
        enter: (): void => {
          signal.removeEventListener('abort', leaveQueue);
          resolve(this.#placeFor(room));
        },
      };
      signal.addEventListener('abort', leaveQueue);
      this.#waiting.push(turn);
      this.#next();
    });
  }

  #placeFor(room: number): BodyPlace {
    const takes = new AbortController();
    const giveBack = (bytes: number): void => {
      inside.room -= bytes;
      this.#free += bytes;
      this.#next();
    };
    const place: BodyPlace = {
      bytes: 0,
      taken: takes.signal,
      complete: () => {
        this.#receiving.delete(inside);
        giveBack(inside.room - place.bytes);
      },
      leave: () => {
        this.#receiving.delete(inside);
        giveBack(inside.room);
      },
    };
    const inside: Inside = { room, place, takes, looks: 0, bytesBefore: 0 };
    this.#free -= room;
    this.#receiving.add(inside);
    return place;
  }

  #next(): void {
    for (let [first] = this.#waiting; first && first.room <= this.#free; [first] = this.#waiting) {
      this.#waiting.shift();
      first.enter();
    }
    if (this.#waiting.length === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
    } else this.#watch ??= this.#watchSlow();
  }

  #watchSlow(): NodeJS.Timeout {
    for (const inside of this.#receiving) {
      inside.looks = 0;
      inside.bytesBefore = inside.place.bytes;
    }
    return setInterval(() => {
      for (const inside of this.#receiving) {
        const came = inside.place.bytes - inside.bytesBefore;
        if (++inside.looks < graceLooks || came >= inside.looks * leastBytes) continue;
        inside.takes.abort(tooSlow(came, (inside.looks * lookMs) / 1000));
      }
    }, lookMs).unref();
  }
}

function tooSlow(bytes: number, seconds: number): ApiError {
  const message =
    `${bytes} bytes of the body came in ${seconds} s; while other large bodies wait, ` +
    `${(1000 * leastBytes) / lookMs} bytes a second have to come.`;
  return new ApiError(408, 'body_too_slow', message, { headers: { connection: 'close' } });
}
