// Whether a thread that owes answers is still there. One that computes cannot say so in the middle of a step; so it is asked now and then, and
// whoever says nothing for long, to this or anything else, hangs.
//
// Time is counted in looks, not read from a clock: after a laptop has slept, or when this thread itself was held up, the answers
// are there before the next look.
export interface WatchOptions {
  /** 0: for ever. */
  readonly silenceMs: number;
  /** Something has been asked that is not answered. */
  readonly isOwed: () => boolean;
  /** Asks for a sign of life. */
  readonly ping: () => void;
  readonly hangs: () => void;
}

/** In the longest silence. */
const looks = 8;

export class Watch {
  readonly #options: WatchOptions;
  #timer: NodeJS.Timeout | undefined;
  /** Nothing has been heard since something was asked. */
  #unheard = false;
  #silentLooks = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** To be called when something is asked. */
  begin(): void {
    const { silenceMs } = this.#options;
    this.#unheard = true;
    if (this.#timer || silenceMs === 0) return;
    this.#silentLooks = 0;
    this.#timer = setInterval(() => this.#look(), silenceMs / looks);
    this.#timer.unref();
  }

  /** The thread has said something. */
  heard(): void {
    this.#unheard = false;
    this.#silentLooks = 0;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const { isOwed, ping, hangs } = this.#options;
    if (!this.#unheard && !isOwed()) {
      this.end();
    } else if (this.#silentLooks++ < looks) {
      ping();
    } else {
      this.end();
      hangs();
    }
  }
}
