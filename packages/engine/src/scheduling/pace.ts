// How many tokens of prompts a step may compute. A step takes as long as all that is in it, and everybody who decodes waits
// for it: beside them, prompts get as much as makes a step at most so many times as long as it would be without. When nobody decodes,
// a step is still to end soon, since a cancelled or an urgent request waits for its end. What a token costs is learned
// from the steps: it depends on the device, the model and how far its texts have grown.

/** A step beside decoding sequences may take so many times as long as their tokens alone. */
const STRETCH = 2.25;
/** And one of prompts alone so many milliseconds. */
const LONGEST_MS = 400;
/** Weight of the newest step in what is known. */
const NEW = 0.2;
/** After so many steps with prompts one goes without, to learn again what the others would have taken. */
const PROBE_AFTER = 64;

export class Pace {
  readonly #batchTokens: number;
  /** Milliseconds of a step that only decodes, by the number of its sequences as a power of two. */
  readonly #decodeMs: (number | undefined)[] = [];
  /** Milliseconds that a token of a prompt adds. */
  #tokenMs: number | undefined;
  #sinceProbe = 0;

  constructor(batchTokens: number) {
    this.#batchTokens = batchTokens;
  }

  /** Of the next step, beside so many decoding sequences; 0: it is to go without. */
  promptTokens(decoding: number): number {
    const most = this.#batchTokens - decoding;
    const alone = decoding === 0 ? undefined : this.#decodeMs[bucket(decoding)];
    if (decoding > 0 && (alone === undefined || this.#sinceProbe >= PROBE_AFTER)) return 0;
    if (this.#tokenMs === undefined) return most;
    const ms = alone === undefined ? LONGEST_MS : Math.min(LONGEST_MS, (STRETCH - 1) * alone);
    return Math.max(Math.min(1, most), Math.min(most, Math.floor(ms / this.#tokenMs)));
  }

  /** A step is done. */
  learn(decoding: number, promptTokens: number, ms: number): void {
    if (promptTokens === 0) {
      const n = bucket(decoding);
      this.#decodeMs[n] = mixed(this.#decodeMs[n], ms);
      this.#sinceProbe = 0;
      return;
    }
    this.#sinceProbe++;
    const alone = decoding === 0 ? 0 : (this.#decodeMs[bucket(decoding)] ?? 0);
    this.#tokenMs = mixed(this.#tokenMs, Math.max(ms - alone, ms / 10) / promptTokens);
  }
}

const bucket = (count: number): number => Math.round(Math.log2(count));

const mixed = (known: number | undefined, ms: number): number =>
  known === undefined ? ms : known + NEW * (ms - known);
