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

  /** Undecided marks at the end of a text that goes on are not found yet. */
  find(text: string, ended: boolean): Found | undefined {
    const match = this.#pattern?.exec(text);
    if (!match) return undefined;
    const undecided =
      !ended && this.#all.some((mark) => mark.length > match[0].length && mark.startsWith(text.slice(match.index)));
    return undecided ? undefined : { at: match.index, mark: match[0] };
  }

  /** How many characters from the beginning of `text` are surely before any mark. */
  before(text: string): number {
    const match = this.#pattern?.exec(text);
    if (match) return match.index;
    for (let at = Math.max(0, text.length - this.#longest + 1); at < text.length; at++) {
      if (!this.#begins.has(text[at]!)) continue;
      const end = text.slice(at);
      if (this.#all.some((mark) => mark.startsWith(end))) return at;
    }
    return text.length;
  }
}
