// A set of tokens. Most places of a grammar allow a few, and many allow what another one does and a few more: so it is a list
// beside a base until that grows long, and one bit for each token then.

/** A list as long as this costs as much as the bits. */
const listShare = 256;

export class TokenMask {
  readonly #vocabSize: number;
  /** One bit for each token; undefined: `#base` and `#listed`. */
  #words: Uint32Array | undefined;
  /** Another set, which does not change any more, and tokens beside it, some perhaps twice. */
  #base: TokenMask | undefined;
  #listed: number[] = [];

  constructor(vocabSize: number) {
    this.#vocabSize = vocabSize;
  }

  static all(vocabSize: number): TokenMask {
    const mask = new TokenMask(vocabSize);
    mask.#bits().fill(0xffffffff);
    return mask;
  }

  add(token: number): void {
    if (this.#words) this.#words[token >>> 5]! |= 1 << (token & 31);
    else if (this.#listed.push(token) > 64 + this.#vocabSize / listShare) this.#bits();
  }

  remove(token: number): void {
    this.#bits()[token >>> 5]! &= ~(1 << (token & 31));
  }

  has(token: number): boolean {
    if (this.#words) return ((this.#words[token >>> 5]! >>> (token & 31)) & 1) === 1;
    return this.#listed.includes(token) || (this.#base?.has(token) ?? false);
  }

  /** `other` must not change any more. */
  addAll(other: TokenMask): void {
    if (other.#words && !this.#words && !this.#base) this.#base = other;
    else if (other.#words) {
      const words = this.#bits();
      for (let i = 0; i < words.length; i++) words[i]! |= other.#words[i]!;
    } else {
      if (other.#base) this.addAll(other.#base);
      for (const token of other.#listed) this.add(token);
    }
  }

  get empty(): boolean {
    if (this.#words) return this.#words.every((word) => word === 0);
    return this.#listed.length === 0 && (this.#base?.empty ?? true);
  }

  /** What it holds beside its base. */
  get bytes(): number {
    return this.#words ? this.#words.byteLength : 8 * this.#listed.length;
  }

  /** The tokens, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (const [index, word] of (this.#words ?? this.#copiedBits()).entries())
      for (let rest = word; rest !== 0; rest &= rest - 1) yield 32 * index + 31 - Math.clz32(rest & -rest);
  }

  /** Sets the logits of all other tokens to -Infinity. */
  apply(logits: Float32Array): void {
    if (this.#words) keepBits(logits, this.#words);
    else {
      const kept = this.#listed.map((token) => logits[token]!);
      if (this.#base) this.#base.apply(logits);
      else logits.fill(Number.NEGATIVE_INFINITY);
      for (const [i, token] of this.#listed.entries()) if (token < logits.length) logits[token] = kept[i]!;
    }
  }

  #bits(): Uint32Array {
    if (!this.#words) {
      this.#words = this.#copiedBits();
      this.#base = undefined;
      this.#listed = [];
    }
    return this.#words;
  }

  #copiedBits(): Uint32Array {
    const base = this.#base;
    const words = base
      ? (base.#words?.slice() ?? base.#copiedBits())
      : new Uint32Array(Math.ceil(this.#vocabSize / 32));
    for (const token of this.#listed) words[token >>> 5]! |= 1 << (token & 31);
    return words;
  }
}

function keepBits(logits: Float32Array, words: Uint32Array): void {
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
