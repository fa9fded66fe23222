// What is kept for requests that may come, the least recently used first, with the bytes that it takes.

export class Kept<Item> {
  readonly #bytesOf = new Map<Item, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** As the most recently used. */
  add(item: Item, bytes: number): void {
    this.remove(item);
    this.#bytesOf.set(item, bytes);
    this.#bytes += bytes;
  }

  /** It has just been used. */
  touch(item: Item): void {
    const bytes = this.#bytesOf.get(item);
    if (bytes !== undefined) this.add(item, bytes);
  }

  remove(item: Item): void {
    this.#bytes -= this.#bytesOf.get(item) ?? 0;
    this.#bytesOf.delete(item);
  }

  oldest(): Item | undefined {
    return this.#bytesOf.keys().next().value;
  }

  items(): Iterable<Item> {
    return this.#bytesOf.keys();
  }
}
