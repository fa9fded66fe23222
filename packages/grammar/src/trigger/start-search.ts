// Looks in a text for what switches a grammar on. A state is where the starters can be; what a byte makes of it is found once.
import type { Starter } from './starter.ts';

export class SearchState {
  readonly id: number;
  /** By starter: the state of what stands in front, -1 when it cannot come any more. */
  readonly before: readonly number[];
  /** Places where the grammar may have begun, the oldest first. */
  readonly threads: readonly { readonly starter: number; readonly state: number }[];
  /** Nothing has been read. */
  readonly first: boolean;
  readonly row: (Step | undefined)[] = new Array(256);

  constructor(id: number, before: readonly number[], threads: SearchState['threads'], first: boolean) {
    this.id = id;
    this.before = before;
    this.threads = threads;
    this.first = first;
  }
}

export interface Step {
  readonly next: SearchState;
  /** Of each thread behind the byte: which one it was, or -1 for one that began with the byte. */
  readonly origins: readonly number[];
  /** The oldest thread that is at its end, as in `origins`; undefined: none. */
  readonly found: number | undefined;
}

export class StartSearch {
  readonly start: SearchState;
  readonly #starters: readonly Starter[];
  readonly #known = new Map<string, SearchState>();

  constructor(starters: readonly Starter[]) {
    this.#starters = starters;
    this.start = new SearchState(
      0,
      starters.map(() => 0),
      [],
      true,
    );
  }

  after(state: SearchState, byte: number): Step {
    return (state.row[byte] ??= this.#step(state, byte));
  }

  #step(state: SearchState, byte: number): Step {
    const reading = state.threads.map((thread, origin) => ({ ...thread, origin }));
    for (const [starter, { before, anchored }] of this.#starters.entries()) {
      const at = state.before[starter]!;
      const begins = before ? at >= 0 && before.final[at] === 1 : !anchored || state.first;
      if (begins) reading.push({ starter, state: 0, origin: -1 });
    }
    const threads: { starter: number; state: number }[] = [];
    const origins: number[] = [];
    const seen = new Set<string>();
    let found: number | undefined;
    for (const { starter, state: at, origin } of reading) {
      const { next, final } = this.#starters[starter]!.inside;
      const after = next[256 * at + byte]!;
      const key = `${starter},${after}`;
      if (after < 0 || seen.has(key)) continue;
      seen.add(key);
      threads.push({ starter, state: after });
      origins.push(origin);
      if (final[after] === 1) found ??= origin;
    }
    const before = state.before.map((at, starter) => {
      const table = this.#starters[starter]!.before;
      return table && at >= 0 ? table.next[256 * at + byte]! : at;
    });
    return { next: this.#intern(before, threads), origins, found };
  }

  #intern(before: readonly number[], threads: SearchState['threads']): SearchState {
    const key = `${before};${threads.map(({ starter, state }) => `${starter},${state}`).join(' ')}`;
    let known = this.#known.get(key);
    if (!known) {
      known = new SearchState(this.#known.size + 1, before, threads, false);
      this.#known.set(key, known);
    }
    return known;
  }
}

/** A longer text is no key for what is kept. */
const maxKey = 1_000;

/** A place in a text: the state, and where each of its threads began in the bytes that are kept. */
export class SearchPlace {
  readonly search: StartSearch;
  state: SearchState;
  #begins: readonly number[] = [];
  /** From the oldest thread on. */
  #kept: number[] = [];

  constructor(search: StartSearch) {
    this.search = search;
    this.state = search.start;
  }

  /** The text since the oldest place where the grammar may have begun; undefined: it is long. */
  get kept(): string | undefined {
    return this.#kept.length > maxKey ? undefined : String.fromCharCode(...this.#kept);
  }

  /** What the grammar has to read when `byte` switches it on; undefined when it does not. */
  read(byte: number): Uint8Array | undefined {
    const { next, origins, found } = this.search.after(this.state, byte);
    const at = this.#kept.length;
    const begins = origins.map((origin) => (origin < 0 ? at : this.#begins[origin]!));
    this.#kept.push(byte);
    if (found !== undefined) return Uint8Array.from(this.#kept.slice(found < 0 ? at : this.#begins[found]!));
    const oldest = Math.min(this.#kept.length, ...begins);
    this.#kept.splice(0, oldest);
    this.#begins = begins.map((begin) => begin - oldest);
    this.state = next;
    return undefined;
  }

  copy(): SearchPlace {
    const copy = new SearchPlace(this.search);
    copy.state = this.state;
    copy.#begins = this.#begins;
    copy.#kept = this.#kept.slice();
    return copy;
  }
}
