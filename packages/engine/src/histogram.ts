// How often which durations occurred: counts between bounds, as Prometheus reads them.

/** Plain data, which crosses threads. */
export interface HistogramCounts {
  /** Upper bounds in seconds; `counts` has one more, for what is above the last. */
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  /** Of all durations, in seconds. */
  readonly sum: number;
}

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds in seconds, rising */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(ms: number): void {
    const seconds = ms / 1000;
    const place = this.#bounds.findIndex((bound) => seconds <= bound);
    this.#counts[place < 0 ? this.#bounds.length : place]!++;
    this.#sum += seconds;
  }

  get counts(): HistogramCounts {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}
