// The last tokens of a sequence, and how often each is among them.
export class TokenWindow {
  readonly #length: number;
  readonly #tokens: number[] = [];
  readonly #counts = new Map<number, number>();
  /** Place of the oldest, once the window is full. */
  #oldest = 0;

  /** `length`: how many tokens it holds; may be infinite. */
  constructor(length: number) {
    this.#length = length;
  }

  get size(): number {
    return this.#tokens.length;
  }

  push(token: number): void {
    if (this.size < this.#length) this.#tokens.push(token);
    else {
      const old = this.#tokens[this.#oldest];
      const left = this.count(old) - 1;
      if (left === 0) this.#counts.delete(old);
      else this.#counts.set(old, left);
      this.#tokens[this.#oldest] = token;
      this.#oldest = (this.#oldest + 1) % this.#length;
    }
    this.#counts.set(token, this.count(token) + 1);
  }

  /** How often each token is in the window; of those that are. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts;
  }

  count(token: number): number {
    return this.#counts.get(token) ?? 0;
  }

  /** The token `back` places before the newest; 0 ≤ back < size. */
  before(back: number): number {
    return this.#tokens[(this.#oldest + this.size - 1 - back) % this.size];
  }
}
