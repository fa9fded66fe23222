// A queue between callbacks and one async reader: what a worker sends, in order, then its error.

interface Reader<Item> {
  resolve(item: Item): void;
  reject(error: Error): void;
}

export class Mailbox<Item> {
  readonly #items: Item[] = [];
  #error?: Error;
  /** Waits, as there is nothing for it. */
  #reader?: Reader<Item>;

  put(item: Item): void {
    if (this.#reader) this.#reader.resolve(item);
    else this.#items.push(item);
    this.#reader = undefined;
  }

  /** The reader gets what is queued, then this error, from then on. */
  fail(error: Error): void {
    this.#error = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  take(): Promise<Item> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    if (this.#error) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }
}
