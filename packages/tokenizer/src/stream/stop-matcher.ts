// Stop strings in a stream of text. A stop string may come in pieces, so text that could be the beginning of one is held
// back until it is clear whether it is.

export interface StopResult {
  /** Text that may be shown now. */
  text: string;
  /** The stop string that was found; it is not part of `text`, and nothing follows. */
  stop?: string;
}

export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #stopped = false;

  /** Empty stop strings are ignored: they would stop before the first character. */
  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /**
   * The stop string that is complete first wins; of several that end at one place, the longest. So the result does not
   * depend on how the text is cut. After a stop all text is dropped.
   */
  push(text: string): StopResult {
    if (this.#stopped) return { text: '' };
    const seen = this.#held + text;
    let found: { stop: string; at: number; end: number } | undefined;
    for (const stop of this.#stops) {
      const at = seen.indexOf(stop);
      const end = at + stop.length;
      if (at === -1 || (found && (end > found.end || (end === found.end && at > found.at)))) continue;
      found = { stop, at, end };
    }
    if (found) {
      this.#stopped = true;
      this.#held = '';
      return { text: seen.slice(0, found.at), stop: found.stop };
    }
    const kept = this.#beginningOfStop(seen);
    this.#held = seen.slice(seen.length - kept);
    return { text: seen.slice(0, seen.length - kept) };
  }

  /** The text still held back, when the stream ends without a stop string. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #beginningOfStop(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
