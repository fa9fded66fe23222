// How many requests may be inside at once. The engine decodes `parallel` sequences and keeps the rest waiting; without a
// limit a burst would queue for minutes while clients time out and retry, so beyond it we say 503 and when to come back.
import { ApiError } from './api-error.ts';

export class Admission {
  readonly limit: number;
  #inside = 0;

  /** @param limit requests running or waiting at the same time */
  constructor(limit: number) {
    this.limit = limit;
  }

  get inside(): number {
    return this.#inside;
  }

  /** Takes a place; the returned function gives it back (once, however often it is called). @throws ApiError 503 */
  enter(): () => void {
    if (this.#inside >= this.limit) {
      throw new ApiError(503, 'queue_full', `The server already has ${this.limit} requests running or waiting.`, {
        headers: { 'retry-after': '1' },
      });
    }
    this.#inside++;
    let left = false;
    return () => {
      if (!left) this.#inside--;
      left = true;
    };
  }
}
