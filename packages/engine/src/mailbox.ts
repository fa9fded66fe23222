// A queue between callbacks and one async reader: what a worker sends, in order, then its error.

export class Mailbox<Item> {
  readonly #items: Item[] = [];
  #error?: Error;
  #wake = (): void => {};

  put(item: Item): void {
    this.#items.push(item);
    this.#wake();
  }

  /** The reader gets what is queued, then this error, from then on. */
  fail(error: Error): void {
    this.#error = error;
    this.#wake();
  }

  async take(): Promise<Item> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
