// A strict JSON reader that knows where it is. JSON.parse keeps the last of two equal keys and tells nothing about
// positions; a header that names a tensor twice must be refused, and an error must say at which byte.

/** Thrown by JsonReader; the format readers turn it into a QuernError with file and offset. */
export class JsonError extends Error {
  /** Index in the text (UTF-16 units). */
  readonly at: number;
  /** `duplicate` for two equal keys in one object, else `syntax`. */
  readonly kind: 'syntax' | 'duplicate';
  constructor(message: string, at: number, kind: 'syntax' | 'duplicate' = 'syntax') {
    super(message);
    this.at = at;
    this.kind = kind;
  }
}

// Deep enough for any real index file, far from the call stack's end.
const maxDepth = 64;
/** Of JSON, and of Python's, which index files may have beside their map. */
const wordValues = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'];
const numberPattern = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** Reads one JSON text from left to right. */
export class JsonReader {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  fail(message: string): never {
    throw new JsonError(message, this.at);
  }

  private skipSpace(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at++;
    }
  }

  private expect(char: string): void {
    this.skipSpace();
    if (this.text[this.at] !== char) this.fail(`expected '${char}'`);
    this.at++;
  }

  private accept(char: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  /** Nothing but white space may follow. */
  end(): void {
    this.skipSpace();
    if (this.at < this.text.length) this.fail('unexpected text after the end of the object');
  }

  /** Calls `onKey` for each key in order; it must read the value. `keyAt` is where the key starts. */
  object(onKey: (key: string, keyAt: number) => void): void {
    this.expect('{');
    if (this.accept('}')) return;
    const seen = new Set<string>();
    do {
      this.skipSpace();
      const keyAt = this.at;
      const key = this.string();
      if (seen.has(key)) throw new JsonError(`the name ${JSON.stringify(key)} occurs twice`, keyAt, 'duplicate');
      seen.add(key);
      this.expect(':');
      onKey(key, keyAt);
    } while (this.accept(','));
    this.expect('}');
  }

  array(onItem: (index: number) => void): void {
    this.expect('[');
    if (this.accept(']')) return;
    let index = 0;
    do onItem(index++);
    while (this.accept(','));
    this.expect(']');
  }

  string(): string {
    this.skipSpace();
    if (this.text[this.at] !== '"') this.fail('expected a string');
    const start = this.at;
    let end = start + 1;
    let plain = true;
    for (;;) {
      const c = this.text.charCodeAt(end);
      if (c === 0x22) break;
      if (Number.isNaN(c)) this.fail('the string never ends');
      if (c === 0x5c || c < 0x20) plain = false;
      end += c === 0x5c ? 2 : 1;
    }
    this.at = end + 1;
    if (plain) return this.text.slice(start + 1, end);
    try {
      // Escapes are for JSON.parse to judge, and control characters, which no JSON string may have.
      const value = JSON.parse(this.text.slice(start, end + 1)) as string;
      // Half of a surrogate pair, written as an escape, is no text: it has no UTF-8 form.
      if (!/\p{Surrogate}/u.test(value)) return value;
    } catch {}
    throw new JsonError('bad character or escape in a string', start);
  }

  /** A non-negative integer below 2^53, written without fraction or exponent. */
  count(): number {
    this.skipSpace();
    let end = this.at;
    while (isDigit(this.text.charCodeAt(end))) end++;
    const digits = this.text.slice(this.at, end);
    const value = Number(digits);
    // JSON has no leading zeros. What follows is not looked at: a fraction or exponent fails as a missing comma.
    if (digits === '' || (digits[0] === '0' && digits !== '0') || !Number.isSafeInteger(value)) {
      this.fail('expected an integer from 0 to 2^53');
    }
    this.at = end;
    return value;
  }

  /** Any value, not kept. */
  skip(depth = 0): void {
    if (depth > maxDepth) this.fail('nested too deeply');
    this.skipSpace();
    const c = this.text[this.at];
    if (c === '{') this.object(() => this.skip(depth + 1));
    else if (c === '[') this.array(() => this.skip(depth + 1));
    else if (c === '"') this.string();
    else {
      const word = wordValues.find((literal) => this.text.startsWith(literal, this.at)) ?? this.number();
      if (!word) this.fail('expected a value');
      this.at += word.length;
    }
  }

  /** The digits of a number at the current place, not consumed; '' when there is none. */
  private number(): string {
    numberPattern.lastIndex = this.at;
    return numberPattern.exec(this.text)?.[0] ?? '';
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
