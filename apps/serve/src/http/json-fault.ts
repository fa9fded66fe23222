// Where a text stops being JSON (RFC 8259), and inside of what. JSON.parse says no, in words that differ between versions of Node and
// often without a place; a client that builds its body by hand wants line, column and path. Nothing is built, and no depth is too much.

export interface JsonFault {
  readonly what: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `messages.0.content`; empty at the top. */
  readonly path: string;
}

/** One object or list that is open. */
interface Open {
  readonly close: '}' | ']';
  /** Of an object, as it is read; of a list, the index. */
  key: string | number;
}

const blanks = /[ \t\r\n]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y;
const word = /(?:true|false|null)(?![\w$])/y;
const escapeSign = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** What a string does not have as it is. One match for a whole string would need a stack of its length. */
const special = /["\\]|[^ -\uffff]/g;

/** Values between two pauses: some milliseconds. */
const slice = 16_384;

/** The first fault, or undefined in JSON. It pauses, so that whoever searches may do something else. */
export function* searchFault(text: string): Generator<void, JsonFault | undefined> {
  let values = 0;
  const open: Open[] = [];
  let at = 0;
  let fault: JsonFault | undefined;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const fail = (what: string): undefined => {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const path = open.map(({ key }) => key).filter((key) => key !== '');
    fault = { what, line, column: at - before.lastIndexOf('\n'), path: path.join('.') };
  };
  const found = (): string =>
    at >= text.length ? 'the end' : JSON.stringify(String.fromCodePoint(text.codePointAt(at)!));
  const takeString = (): string | undefined => {
    const start = at++;
    for (;;) {
      special.lastIndex = at;
      at = special.exec(text)?.index ?? text.length;
      if (at === text.length) return fail('a string is not closed');
      if (text[at] === '"') return text.slice(start, ++at);
      if (text[at] !== '\\') return fail('a string has a control character that must be written as an escape');
      if (take(escapeSign) === undefined) return fail('there is an escape that JSON does not have');
    }
  };
  /** The key of a member and its colon. */
  const takeKey = (): boolean => {
    const top = open.at(-1)!;
    top.key = '';
    take(blanks);
    if (text[at] !== '"') {
      fail(`expected a key in double quotes, found ${found()}`);
      return false;
    }
    const key = takeString();
    if (key === undefined) return false;
    top.key = JSON.parse(key) as string;
    take(blanks);
    if (text[at] === ':') at++;
    else fail(`expected ":" behind a key, found ${found()}`);
    return fault === undefined;
  };

  for (;;) {
    if (++values % slice === 0) yield;
    take(blanks);
    const first = text[at];
    if (first === '{' || first === '[') {
      at++;
      const isObject = first === '{';
      open.push({ close: isObject ? '}' : ']', key: isObject ? '' : 0 });
      take(blanks);
      if (text[at] !== open.at(-1)!.close) {
        if (isObject && !takeKey()) return fault;
        continue;
      }
      at++;
      open.pop();
    } else if (first === '"') {
      if (takeString() === undefined) return fault;
    } else if (take(number) === undefined && take(word) === undefined) {
      fail(`expected a value, found ${found()}`);
      return fault;
    }
    // Behind a value.
    for (;;) {
      take(blanks);
      const top = open.at(-1);
      if (!top) {
        if (at < text.length) fail(`expected the end, found ${found()}`);
        return fault;
      }
      if (text[at] === top.close) {
        at++;
        open.pop();
        continue;
      }
      if (text[at] !== ',') {
        fail(`expected "," or "${top.close}", found ${found()}`);
        return fault;
      }
      at++;
      if (top.close === '}') {
        if (!takeKey()) return fault;
      } else top.key = (top.key as number) + 1;
      break;
    }
  }
}
