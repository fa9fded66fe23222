// How much the large bodies of requests may take together, from their first byte until they are answered. Each has room for all of it before
// it is read, so that none that has begun has to wait for another. Who sends slowly while somebody waits lends out what it has not used: it
// is read no further, stands in line again behind those that have not begun, and goes on where it was.
import { ApiError } from '../api-error.ts';

/** What the sender of a body has done so far. */
export interface BodyPlace {
  /** Of what has come. */
  bytes: number;
  /** Reads on or not, as there is room. */
  sender?: { pause(): void; resume(): void };
  /** Aborted, with an ApiError, when somebody else needs what a slow sender has sent. */
  readonly taken: AbortSignal;
  /** All of it has come; what it does not need is given back. */
  complete(): void;
  leave(): void;
}

/** Looks at senders while somebody waits. Time is counted in them, so that a machine that is busy does not count against a sender. */
const lookMs = 250;
/** What must come between two looks. */
const leastBytes = 2 ** 13;
/** Looks in a row at which less has come, before the room is lent out. */
const slowLooks = 4;
/** Looks for which a sender keeps what it has sent, once it is read no further. */
const graceLooks = 40;

interface Inside {
  /** What it takes now. */
  room: number;
  readonly place: BodyPlace;
  readonly takes: AbortController;
  bytesBefore: number;
  /** Since it has been slow. */
  looks: number;
  /** Its turn to go on, where its room is lent out. */
  turn?: Turn;
}

interface Turn {
  readonly room: number;
  enter(): void;
}

export class BodyRoom {
  #free: number;
  readonly #receiving = new Set<Inside>();
  readonly #waiting: Turn[] = [];
  /** Those that have begun and were slow, behind all others. */
  readonly #resuming: Turn[] = [];
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
    const end = (): void => {
      this.#receiving.delete(inside);
      if (inside.turn) this.#resuming.splice(this.#resuming.indexOf(inside.turn), 1);
      inside.turn = undefined;
    };
    const place: BodyPlace = {
      bytes: 0,
      taken: takes.signal,
      complete: () => {
        end();
        this.#giveBack(inside, inside.room - place.bytes);
      },
      leave: () => {
        end();
        this.#giveBack(inside, inside.room);
      },
    };
    const inside: Inside = { room, place, takes, bytesBefore: 0, looks: 0 };
    this.#free -= room;
    this.#receiving.add(inside);
    return place;
  }

  #giveBack(inside: Inside, bytes: number): void {
    inside.room -= bytes;
    this.#free += bytes;
    this.#next();
  }

  #next(): void {
    for (const line of [this.#waiting, this.#resuming]) {
      for (let [first] = line; first && first.room <= this.#free; [first] = line) {
        line.shift();
        first.enter();
      }
      if (line.length > 0) {
        this.#watch ??= this.#watchSlow();
        return;
      }
    }
    clearInterval(this.#watch);
    this.#watch = undefined;
  }

  #watchSlow(): NodeJS.Timeout {
    for (const inside of this.#receiving) {
      inside.looks = 0;
      inside.bytesBefore = inside.place.bytes;
    }
    return setInterval(() => {
      for (const inside of [...this.#receiving]) this.#look(inside);
    }, lookMs).unref();
  }

  #look(inside: Inside): void {
    const { place, takes } = inside;
    const came = place.bytes - inside.bytesBefore;
    inside.bytesBefore = place.bytes;
    if (!inside.turn && came >= leastBytes) inside.looks = 0;
    else if (++inside.looks === slowLooks && !inside.turn) this.#lend(inside);
    else if (inside.looks >= slowLooks + graceLooks && this.#waiting.length > 0) takes.abort(tooSlow(place.bytes));
  }

  #lend(inside: Inside): void {
    const { place } = inside;
    const rest = inside.room - place.bytes;
    place.sender?.pause();
    inside.turn = {
      room: rest,
      enter: () => {
        inside.turn = undefined;
        inside.looks = 0;
        inside.room += rest;
        this.#free -= rest;
        place.sender?.resume();
      },
    };
    this.#resuming.push(inside.turn);
    this.#giveBack(inside, rest);
  }
}

function tooSlow(bytes: number): ApiError {
  const message =
    `The body came slowly, and what has come of it (${bytes} bytes) stands in the way of others: while large bodies wait, ` +
    `${(1000 * leastBytes) / lookMs} bytes a second have to come.`;
  return new ApiError(408, 'body_too_slow', message, { headers: { connection: 'close' } });
}
