// Text that comes in pieces, read as if it were there as a whole: a reader is a generator that waits where the text ends.
// It never sees where the pieces were cut, so the cuts cannot change what it makes of them.

export type Reading<T = void> = Generator<void, T>;

export class Input {
  #text = '';
  #at = 0;
  #ended = false;
  /** From here on, what is read is kept. */
  #mark: number | undefined;

  feed(text: string): void {
    const kept = Math.min(this.#at, this.#mark ?? this.#at);
    this.#text = this.#text.slice(kept) + text;
    this.#at -= kept;
    if (this.#mark !== undefined) this.#mark -= kept;
  }

  end(): void {
    this.#ended = true;
  }

  /** The next character; undefined at the end of all text. */
  *peek(): Reading<string | undefined> {
    while (this.#at >= this.#text.length) {
      if (this.#ended) return undefined;
      yield;
    }
    return this.#text[this.#at];
  }

  /** What is there now, without waiting. */
  get ready(): string {
    return this.#text.slice(this.#at);
  }

  get ended(): boolean {
    return this.#ended;
  }

  skip(length: number): void {
    this.#at += length;
  }

  take(length: number): string {
    this.#at += length;
    return this.#text.slice(this.#at - length, this.#at);
  }

  mark(): void {
    this.#mark = this.#at;
  }

  unmark(): void {
    this.#mark = undefined;
  }

  /** What was read since the mark; nothing where there is none. */
  get sinceMark(): string {
    return this.#text.slice(this.#mark ?? this.#at, this.#at);
  }

  *skipSpace(): Reading {
    for (;;) {
      const next = yield* this.peek();
      if (next === undefined || !isSpace(next)) return;
      this.skip(1);
    }
  }

  /** Reads `text`, with any white space where it has some and between tags. Stops at the first character that differs. */
  *expect(text: string): Reading<boolean> {
    for (let i = 0; i < text.length; ) {
      if (isSpace(text[i]!)) {
        while (i < text.length && isSpace(text[i]!)) i++;
        yield* this.skipSpace();
        continue;
      }
      if (text[i] === '<' && text[i - 1] === '>') yield* this.skipSpace();
      if ((yield* this.peek()) !== text[i]) return false;
      this.skip(1);
      i++;
    }
    return true;
  }

  /** The characters up to one that `ends`; undefined if there are more than `most`. */
  *until(ends: (character: string) => boolean, most: number): Reading<string | undefined> {
    let text = '';
    for (;;) {
      const next = yield* this.peek();
      if (next === undefined || ends(next)) return text;
      if (text.length >= most) return undefined;
      text += next;
      this.skip(1);
    }
  }

  /** Reads the longest of `texts` that stands here, and nothing else. */
  *accept(texts: readonly string[]): Reading<string | undefined> {
    const found = yield* this.sees(texts);
    if (found !== undefined) this.skip(found.length);
    return found;
  }

  /** The longest of `texts` that stands here. */
  *sees(texts: readonly string[]): Reading<string | undefined> {
    let length = 0;
    let found: string | undefined;
    let left = texts.filter((text) => text !== '');
    for (; left.length > 0; length++) {
      found = left.find((text) => text.length === length) ?? found;
      left = left.filter((text) => text.length > length);
      if (left.length === 0) break;
      const next = yield* this.ahead(length);
      left = left.filter((text) => text[length] === next);
    }
    return found;
  }

  /** The character `distance` behind the next one. */
  *ahead(distance: number): Reading<string | undefined> {
    while (this.#at + distance >= this.#text.length) {
      if (this.#ended) return undefined;
      yield;
    }
    return this.#text[this.#at + distance];
  }
}

export const isSpace = (character: string): boolean =>
  character === ' ' || character === '\n' || character === '\t' || character === '\r';
