// A set of tokens, one bit each.

export class TokenMask {
  readonly words: Uint32Array;

  constructor(vocabSize: number) {
    this.words = new Uint32Array(Math.ceil(vocabSize / 32));
  }

  add(token: number): void {
    this.words[token >>> 5]! |= 1 << (token & 31);
  }

  remove(token: number): void {
    this.words[token >>> 5]! &= ~(1 << (token & 31));
  }

  has(token: number): boolean {
    return ((this.words[token >>> 5]! >>> (token & 31)) & 1) === 1;
  }

  addAll(other: TokenMask): void {
    const { words } = other;
    for (let i = 0; i < words.length; i++) this.words[i]! |= words[i]!;
  }

  get empty(): boolean {
    return this.words.every((word) => word === 0);
  }

  /** The tokens, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (const [index, word] of this.words.entries())
      for (let rest = word; rest !== 0; rest &= rest - 1) yield 32 * index + 31 - Math.clz32(rest & -rest);
  }

  /** Sets the logits of all other tokens to -Infinity. */
  apply(logits: Float32Array): void {
    const { words } = this;
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const first = 32 * i;
      const end = Math.min(first + 32, logits.length);
      if (word === 0) logits.fill(Number.NEGATIVE_INFINITY, first, end);
      else if (word !== 0xffffffff)
        for (let id = first; id < end; id++)
          if (((word >>> (id - first)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
    }
    if (logits.length > 32 * words.length) logits.fill(Number.NEGATIVE_INFINITY, 32 * words.length);
  }
}
