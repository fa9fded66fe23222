// Finds the first of several marks in a text that comes in pieces.

export interface Found {
  readonly at: number;
  readonly mark: string;
}

export class Marks {
  readonly #all: readonly string[];
  readonly #pattern: RegExp | undefined;
  readonly #begins: ReadonlySet<string>;
  readonly #longest: number;

  constructor(marks: readonly string[]) {
    // Of two that begin alike, the longer one is meant.
    this.#all = [...new Set(marks)].filter((mark) => mark !== '').sort((a, b) => b.length - a.length);
    const escaped = this.#all.map((mark) => mark.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    this.#pattern = escaped.length > 0 ? new RegExp(escaped.join('|')) : undefined;
    this.#begins = new Set(this.#all.map((mark) => mark[0]!));
    this.#longest = Math.max(0, ...this.#all.map((mark) => mark.length));
  }

  /** Nothing is found yet behind a place where a mark may have begun that goes on in the next piece. */
  find(text: string, ended: boolean): Found | undefined {
    const match = this.#pattern?.exec(text);
    if (!match) return undefined;
    const undecided = !ended && this.#begun(text) <= match.index;
    return undecided ? undefined : { at: match.index, mark: match[0] };
  }

  /** How many characters from the beginning of `text` are surely before any mark. */
  before(text: string): number {
    return Math.min(this.#pattern?.exec(text)?.index ?? text.length, this.#begun(text));
  }

  /** Where the end of a text begins that is the beginning of a mark and not all of it; its length where there is none. */
  #begun(text: string): number {
    for (let at = Math.max(0, text.length - this.#longest + 1); at < text.length; at++) {
      if (!this.#begins.has(text[at]!)) continue;
      const end = text.slice(at);
      if (this.#all.some((mark) => mark.length > end.length && mark.startsWith(end))) return at;
    }
    return text.length;
  }
}
