// Tokens, read from the front.
import { SyntaxFault, type Token } from './lexer.ts';

export class TokenStream {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  peek(distance = 0): Token | undefined {
    return this.#tokens[this.#at + distance];
  }

  is(type: Token['type'], ...values: readonly string[]): boolean {
    const token = this.peek();
    return token?.type === type && (values.length === 0 || values.includes(token.value));
  }

  isOperator = (...values: readonly string[]): boolean => this.is('operator', ...values);
  isName = (...values: readonly string[]): boolean => this.is('name', ...values);

  next(): Token {
    const token = this.peek() ?? this.fail('The template ends too soon');
    this.#at++;
    return token;
  }

  /** Reads the token if it is this one. */
  skip(type: Token['type'], value: string): boolean {
    if (!this.is(type, value)) return false;
    this.#at++;
    return true;
  }

  expect(type: Token['type'], value?: string): Token {
    if (value === undefined ? this.is(type) : this.is(type, value)) return this.next();
    return this.fail(`Expected ${value === undefined ? `a ${type}` : `'${value}'`}`);
  }

  fail(what: string): never {
    const token = this.peek();
    const line = (token ?? this.#tokens.at(-1))?.line ?? 1;
    throw new SyntaxFault(token ? `${what}, found '${token.value}'` : what, line);
  }
}
