// How a source of guesses stands with one sequence: how often it was right of late, and whether it sits out because it did not
// pay. A text may begin to repeat itself at any time, so it is tried again, after longer and longer.

/** How much of what is known a guess leaves. */
const KEEP = 0.9;
/** What is assumed at first: as if of so many guesses so many had been right. */
const FIRST = { right: 1.6, tried: 2 };
const SHORTEST_REST = 16;
const LONGEST_REST = 512;

export class Standing {
  #right = FIRST.right;
  #tried = FIRST.tried;
  #rest = SHORTEST_REST;
  /** Length of the sequence at which it is asked again. */
  #until = 0;

  get acceptance(): number {
    return this.#right / this.#tried;
  }

  /** The first `accepted` of `guessed` tokens were right; of those behind the first wrong one nothing is known. */
  learn(guessed: number, accepted: number): void {
    const tried = Math.min(guessed, accepted + 1);
    const kept = KEEP ** tried;
    this.#right = kept * this.#right + accepted;
    this.#tried = kept * this.#tried + tried;
    if (accepted > 0) this.#rest = SHORTEST_REST;
  }

  isResting(tokens: number): boolean {
    return tokens < this.#until;
  }

  /** It did not pay: asked again in a while, with what is known counting for little. */
  rest(tokens: number): void {
    this.#until = tokens + this.#rest;
    this.#rest = Math.min(LONGEST_REST, 2 * this.#rest);
    this.#right = FIRST.right;
    this.#tried = FIRST.tried;
  }
}
