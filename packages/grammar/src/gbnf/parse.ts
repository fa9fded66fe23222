// GBNF as llama.cpp 0.5.0 reads it (its grammars/README.md): rules `name ::= …`, literals, character sets, `.`, groups,
// `* + ? {n} {n,} {n,m}`, tokens `<[id]>`, `<text>` and their negations `!<…>`, comments. A rule ends with its line, except
// inside parentheses and behind `|` and `::=`.
import { allCharacters, complement, setOfRanges } from '../characters/code-point-set.ts';
import { choice, type Expression, nothing, repeat, rule, sequence } from '../expression.ts';
import { Reader } from './reader.ts';

export interface GbnfOptions {
  /** The token whose text this is, special tokens included; undefined when it is not exactly one. */
  readonly tokenOf?: (text: string) => number | undefined;
  /** A number of a token has to be below it. */
  readonly vocabSize?: number;
}

const maxNesting = 200;
/** llama.cpp's ids have 32 bits with a sign. */
const maxTokens = 2 ** 31;
const wordCharacter = /[a-zA-Z0-9-]/;
const encoder = new TextEncoder();

/** @throws QuernError `grammar-syntax`, with line and column */
export function parseGbnf(text: string, options: GbnfOptions = {}): Map<string, Expression> {
  return new GbnfParser(text, options).parse();
}

class GbnfParser {
  readonly #reader: Reader;
  readonly #tokenOf: NonNullable<GbnfOptions['tokenOf']>;
  readonly #vocabSize: number;

  constructor(text: string, options: GbnfOptions) {
    this.#reader = new Reader(text);
    this.#tokenOf = options.tokenOf ?? (() => undefined);
    this.#vocabSize = options.vocabSize ?? maxTokens;
  }

  parse(): Map<string, Expression> {
    const rules = new Map<string, Expression>();
    this.#space(true);
    while (!this.#reader.ended) {
      const name = this.#name();
      this.#space(false);
      if (!this.#reader.takeIf('::=')) this.#reader.refuse('expected ::= after the name of a rule');
      this.#space(true);
      rules.set(name, this.#alternatives(0));
      if (
        !this.#reader.ended &&
        !this.#reader.takeIf('\r\n') &&
        !this.#reader.takeIf('\r') &&
        !this.#reader.takeIf('\n')
      )
        this.#reader.refuse('expected the end of the line');
      this.#space(true);
    }
    return rules;
  }

  #alternatives(depth: number): Expression {
    if (depth > maxNesting) this.#reader.refuse(`parentheses nest deeper than ${maxNesting}`);
    const options = [this.#sequence(depth)];
    while (this.#reader.takeIf('|')) {
      this.#space(true);
      options.push(this.#sequence(depth));
    }
    return choice(options);
  }

  #sequence(depth: number): Expression {
    const items: Expression[] = [];
    for (;;) {
      const item = this.#item(depth);
      if (!item) break;
      this.#space(depth > 0);
      items.push(this.#repeated(item, depth));
    }
    if (/[*+?{]/.test(this.#reader.next)) this.#reader.refuse(`nothing stands before ${this.#reader.next}`);
    return sequence(items);
  }

  #item(depth: number): Expression | undefined {
    const reader = this.#reader;
    if (reader.takeIf('"')) return this.#literal();
    if (reader.takeIf('[')) return this.#characterSet();
    if (reader.takeIf('.')) return { kind: 'characters', set: allCharacters };
    if (reader.next === '<' || reader.next === '!') return this.#token();
    if (reader.takeIf('(')) {
      this.#space(true);
      const inner = this.#alternatives(depth + 1);
      if (!reader.takeIf(')')) reader.refuse('expected )');
      return inner;
    }
    return wordCharacter.test(reader.next) ? rule(this.#name()) : undefined;
  }

  #repeated(item: Expression, depth: number): Expression {
    let whole = item;
    for (;;) {
      if (this.#reader.takeIf('*')) whole = repeat(whole, 0);
      else if (this.#reader.takeIf('+')) whole = repeat(whole, 1);
      else if (this.#reader.takeIf('?')) whole = repeat(whole, 0, 1);
      else if (this.#reader.takeIf('{')) whole = this.#counted(whole, depth);
      else return whole;
      this.#space(depth > 0);
    }
  }

  #counted(item: Expression, depth: number): Expression {
    const reader = this.#reader;
    this.#space(depth > 0);
    const min = this.#count();
    this.#space(depth > 0);
    let max = min;
    if (reader.takeIf(',')) {
      this.#space(depth > 0);
      max = /\d/.test(reader.next) ? this.#count() : Number.POSITIVE_INFINITY;
      this.#space(depth > 0);
    }
    if (!reader.takeIf('}')) reader.refuse('expected }');
    if (max < min) reader.refuse(`{${min},${max}} asks for more than it allows`);
    return repeat(item, min, max);
  }

  #count(): number {
    const digits = this.#reader.takeWhile(/\d/);
    const count = Number(digits);
    if (digits === '' || count > 2 ** 31) this.#reader.refuse('expected a number of repetitions below 2^31');
    return count;
  }

  #literal(): Expression {
    let text = '';
    while (!this.#reader.takeIf('"')) text += String.fromCodePoint(this.#character());
    return { kind: 'text', bytes: encoder.encode(text) };
  }

  #characterSet(): Expression {
    const reader = this.#reader;
    const negated = reader.takeIf('^');
    const ranges: [number, number][] = [];
    while (!reader.takeIf(']')) {
      const first = this.#character();
      let last = first;
      if (reader.next === '-' && reader.peek(1) !== ']') {
        reader.take();
        last = this.#character();
      }
      if (last < first) reader.refuse('a range of characters runs backwards');
      ranges.push([first, last]);
    }
    if (ranges.length === 0) return nothing; // as llama.cpp has it: nothing
    const set = setOfRanges(ranges);
    return { kind: 'characters', set: negated ? complement(set) : set };
  }

  #character(): number {
    const reader = this.#reader;
    const character = reader.take();
    if (character !== '\\') return character.codePointAt(0)!;
    const escaped = reader.take();
    const hex = { x: 2, u: 4, U: 8 }[escaped];
    if (hex !== undefined) return this.#hexadecimal(hex);
    if ('\\"[]-'.includes(escaped)) return escaped.codePointAt(0)!;
    return { t: 9, r: 13, n: 10 }[escaped] ?? reader.refuse(`there is no escape \\${escaped}`);
  }

  #hexadecimal(digits: number): number {
    let text = '';
    for (let i = 0; i < digits; i++) text += this.#reader.take();
    const codePoint = /^[0-9a-fA-F]+$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
    if (!(codePoint <= 0x10ffff))
      this.#reader.refuse(`${text} is not the number of a character in ${digits} hexadecimal digits`);
    return codePoint;
  }

  #token(): Expression {
    const reader = this.#reader;
    const negated = reader.takeIf('!');
    if (!reader.takeIf('<')) reader.refuse('expected < and a token');
    if (reader.takeIf('[')) {
      const digits = reader.takeWhile(/\d/);
      if (digits === '') reader.refuse('expected the number of a token');
      if (Number(digits) >= this.#vocabSize)
        reader.refuse(`there is no token ${digits}, the vocabulary has ${this.#vocabSize}`);
      if (!reader.takeIf(']>')) reader.refuse('expected ]> behind the number of a token');
      return { kind: 'tokens', ids: [Number(digits)], negated };
    }
    const text = `<${reader.takeWhile(/[^>]/)}>`;
    if (!reader.takeIf('>')) reader.refuse('expected >');
    const id = this.#tokenOf(text) ?? reader.refuse(`the vocabulary has no single token ${text}`);
    return { kind: 'tokens', ids: [id], negated };
  }

  #name(): string {
    const name = this.#reader.takeWhile(wordCharacter);
    if (name === '') this.#reader.refuse('expected the name of a rule');
    return name;
  }

  /** White space and comments. */
  #space(lines: boolean): void {
    for (;;) {
      this.#reader.takeWhile(lines ? /[ \t\r\n]/ : /[ \t]/);
      if (!this.#reader.takeIf('#')) return;
      this.#reader.takeWhile(/[^\r\n]/);
    }
  }
}
