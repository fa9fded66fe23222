// What a row of a decoding step costs, learned from the steps: milliseconds = base + each · rows, by least squares in which
// older steps count less. The base is what reading the weights takes, whatever the batch; a guess costs a row. Steps of one size do not
// tell the two apart, so a few steps' worth of an assumption is mixed in, and a step that took much longer than it should have
// says more about the machine than about its rows.

/** How much of what is known a step leaves. */
const KEEP = 0.97;
/** Fewer steps say nothing. */
const LEAST = 4;
/** A row's part of a step of one row, as long as nobody knows; it counts like so many steps that differ by one row. */
const ASSUMED = { part: 0.15, steps: 4 };
/** Longer than so many times what is expected counts as that. */
const OUTLIER = 3;

export class StepCost {
  #steps = 0;
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;

  learn(rows: number, measuredMs: number): void {
    const known = this.known;
    const ms = known ? Math.min(measuredMs, OUTLIER * (known.base + known.each * rows)) : measuredMs;
    this.#steps++;
    const mix = (sum: number, value: number): number => KEEP * sum + value;
    this.#weight = mix(this.#weight, 1);
    this.#rows = mix(this.#rows, rows);
    this.#ms = mix(this.#ms, ms);
    this.#rowsRows = mix(this.#rowsRows, rows * rows);
    this.#rowsMs = mix(this.#rowsMs, rows * ms);
  }

  /** Undefined while too little is known. */
  get known(): { readonly base: number; readonly each: number } | undefined {
    if (this.#steps < LEAST) return undefined;
    const [rows, ms] = [this.#rows / this.#weight, this.#ms / this.#weight];
    const variance = this.#rowsRows / this.#weight - rows * rows;
    const covariance = this.#rowsMs / this.#weight - rows * ms;
    const { part, steps } = ASSUMED;
    // The assumption in these terms: base + each = 1 and each = part, of which the mean step has base + each · rows.
    const assumed = (part * ms) / (1 - part + part * rows);
    const slope = (covariance + (steps / this.#weight) * assumed) / (variance + steps / this.#weight);
    const each = Math.min(Math.max(0, slope), ms / rows);
    return { base: ms - each * rows, each };
  }
}
