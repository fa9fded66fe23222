// What a row of a decoding step costs, learned from the steps: milliseconds = base + each · rows, by least squares in which
// older steps count less. The base is what reading the weights takes, whatever the batch; a guess costs a row.

/** How much of what is known a step leaves. */
const KEEP = 0.97;
/** Fewer steps say nothing. */
const LEAST = 4;

export class StepCost {
  #steps = 0;
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;

  learn(rows: number, ms: number): void {
    this.#steps++;
    const mix = (known: number, value: number): number => KEEP * known + value;
    this.#weight = mix(this.#weight, 1);
    this.#rows = mix(this.#rows, rows);
    this.#ms = mix(this.#ms, ms);
    this.#rowsRows = mix(this.#rowsRows, rows * rows);
    this.#rowsMs = mix(this.#rowsMs, rows * ms);
  }

  /** Undefined while too little is known. Steps that all had as many rows do not tell what a row costs: then it is nothing. */
  get known(): { readonly base: number; readonly each: number } | undefined {
    if (this.#steps < LEAST) return undefined;
    const [rows, ms] = [this.#rows / this.#weight, this.#ms / this.#weight];
    const variance = this.#rowsRows / this.#weight - rows * rows;
    const covariance = this.#rowsMs / this.#weight - rows * ms;
    const slope = variance > 1e-6 ? covariance / variance : 0;
    const each = Math.min(Math.max(0, slope), ms / rows);
    return { base: ms - each * rows, each };
  }
}
