// A template cut into tokens, with Jinja's rules for white space as transformers sets them: a line end behind a block goes
// (trim_blocks), and so do blanks between a line's beginning and a block (lstrip_blocks).
import { stripped } from './text.ts';

export interface Token {
  readonly type: 'data' | 'begin' | 'end' | 'name' | 'text' | 'integer' | 'float' | 'operator';
  /** Of a mark, what it encloses: `block` or `print`. */
  readonly value: string;
  readonly line: number;
}

const anyMark = /\{[%{#]/g;
const raw = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})/y;
const rawEnd = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g;
const commentEnd = /\+#\}|-#\}\s*|#\}\n?/g;
const ends = { block: /\+%\}|-%\}\s*|%\}\n?/y, print: /-\}\}\s*|\}\}/y };
const words: readonly (readonly [Token['type'], RegExp])[] = [
  ['float', /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy],
  ['integer', /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy],
  ['name', /[\p{L}\p{Nl}_][\p{L}\p{N}\p{M}_]*/uy],
  ['text', /'[^'\\]*(?:\\[\s\S][^'\\]*)*'|"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y],
  ['operator', /\/\/|\*\*|[=!<>]=|[-+/*%~[\](){}<>=.:|,;]/y],
];
const closes: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

export class SyntaxFault extends Error {
  constructor(what: string, line: number) {
    super(`${what} (line ${line})`);
  }
}

export function tokenize(template: string): Token[] {
  return new Lexer(template.replace(/\r\n?/g, '\n').replace(/\n$/, '')).tokens();
}

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = source;
  }

  tokens(): Token[] {
    for (;;) {
      anyMark.lastIndex = this.#at;
      const mark = anyMark.exec(this.#source);
      if (!mark) break;
      const kind = mark[0][1] as '%' | '{' | '#';
      const sign = this.#source[mark.index + 2]!;
      this.#data(mark.index, sign, kind !== '{');
      if (kind === '#') this.#comment();
      else if (kind === '%' && this.#match(raw)) this.#raw();
      else {
        this.#skip(2 + (sign === '-' || (sign === '+' && kind === '%') ? 1 : 0));
        this.#inside(kind === '%' ? 'block' : 'print');
      }
    }
    this.#data(this.#source.length, '', false);
    return this.#tokens;
  }

  #push(type: Token['type'], value: string): void {
    this.#tokens.push({ type, value, line: this.#line });
  }

  #skip(length: number): string {
    const text = this.#source.slice(this.#at, this.#at + length);
    this.#at += length;
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.#line++;
    return text;
  }

  /** Reads what matches here. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    return found === undefined ? undefined : this.#skip(found.length);
  }

  /** Text as it stands, up to a mark; `sign` is what the mark says of the white space before it. */
  #data(end: number, sign: string, isBlock: boolean): void {
    const atLineStart = this.#at === 0 || this.#source[this.#at - 1] === '\n';
    const text = this.#source.slice(this.#at, end);
    let kept = text;
    if (sign === '-') kept = stripped(text, undefined, 'right');
    else if (sign !== '+' && isBlock) {
      const lineStart = text.lastIndexOf('\n') + 1;
      if ((lineStart > 0 || atLineStart) && text.slice(lineStart).trim() === '') kept = text.slice(0, lineStart);
    }
    if (kept !== '') this.#push('data', kept);
    this.#skip(end - this.#at);
  }

  #comment(): void {
    const line = this.#line;
    this.#skip(2);
    commentEnd.lastIndex = this.#at;
    const end = commentEnd.exec(this.#source);
    if (!end) throw new SyntaxFault('A comment does not end', line);
    this.#skip(end.index + end[0].length - this.#at);
  }

  #raw(): void {
    const line = this.#line;
    rawEnd.lastIndex = this.#at;
    const end = rawEnd.exec(this.#source);
    if (!end) throw new SyntaxFault('A raw block does not end', line);
    this.#data(end.index, end[1]!, true);
    this.#skip(end[0].length);
  }

  #inside(kind: 'block' | 'print'): void {
    const line = this.#line;
    const open: string[] = [];
    this.#push('begin', kind);
    for (;;) {
      this.#match(/\s+/y);
      if (this.#at >= this.#source.length) throw new SyntaxFault('A block does not end', line);
      if (open.length === 0 && this.#match(ends[kind]) !== undefined) break;
      const found = words.find(([, pattern]) => {
        pattern.lastIndex = this.#at;
        return pattern.test(this.#source);
      });
      if (!found) throw new SyntaxFault(`Unexpected character ${JSON.stringify(this.#source[this.#at])}`, this.#line);
      const [type, pattern] = found;
      const value = this.#source.slice(this.#at, pattern.lastIndex);
      this.#push(type, value);
      this.#skip(value.length);
      if (type !== 'operator') continue;
      if ('([{'.includes(value)) open.push(value);
      else if (value in closes && open.pop() !== closes[value])
        throw new SyntaxFault(`Unexpected '${value}'`, this.#line);
    }
    this.#push('end', kind);
  }
}
