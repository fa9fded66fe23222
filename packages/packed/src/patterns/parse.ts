// The part of Python's regular expressions that module patterns are written in, as a tree:
//
//   a  \.  .  [a-z0-9]  [^.]  \d \w \s \D \W \S  ^  $     (…) (?:…) (?P<name>…)  a|b     * + ? {m} {m,} {m,n}, lazy too
//
// All of it can be matched in time proportional to the name (name-pattern.ts). What cannot (backreferences,
// lookaround), and what no pattern of a real checkpoint has been seen with (flags, \b, POSIX classes), is refused by name.
import { QuernError } from '@quern/errors';

export type PatternNode =
  | { readonly kind: 'set'; readonly has: (character: string) => boolean }
  | { readonly kind: 'sequence' | 'either'; readonly items: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly item: PatternNode; readonly least: number; readonly most: number }
  | { readonly kind: 'start' | 'end' };

const MAX_LENGTH = 1000;
const MAX_DEPTH = 50;
const MAX_COUNT = 1000;

/** @throws QuernError `packed-pattern-refused` */
export function parsePattern(text: string): PatternNode {
  if (text.length > MAX_LENGTH) refusePattern(text, `${text.length} characters, of which ${MAX_LENGTH} are read`);
  return new Parser(text).parse();
}

/** @throws QuernError `packed-pattern-refused` always */
export function refusePattern(text: string, what: string): never {
  const shown = JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  throw new QuernError('packed-pattern-refused', `The pattern ${shown} has ${what}.`, {
    file: 'config.json',
    remedy: 'Write the names of the modules, or a plain pattern.',
  });
}

type Test = (character: string) => boolean;

const classes: Readonly<Record<string, Test>> = {
  d: (character) => character >= '0' && character <= '9',
  w: (character) => /[\p{L}\p{N}_]/u.test(character),
  s: (character) => /\s/.test(character),
};

class Parser {
  private readonly text: string;
  private readonly characters: readonly string[];
  private at = 0;

  constructor(text: string) {
    this.text = text;
    this.characters = [...text];
  }

  parse(): PatternNode {
    const node = this.either(0);
    if (this.at < this.characters.length) this.refuse('a ")" too many');
    return node;
  }

  private either(depth: number): PatternNode {
    if (depth > MAX_DEPTH) this.refuse(`groups more than ${MAX_DEPTH} deep`);
    const items = [this.sequence(depth)];
    while (this.take('|')) items.push(this.sequence(depth));
    return items.length === 1 ? items[0] : { kind: 'either', items };
  }

  private sequence(depth: number): PatternNode {
    const items: PatternNode[] = [];
    while (this.at < this.characters.length && this.peek() !== '|' && this.peek() !== ')') {
      items.push(this.repeated(this.single(depth)));
    }
    return { kind: 'sequence', items };
  }

  private single(depth: number): PatternNode {
    const character = this.next();
    if (character === '(') return this.group(depth);
    if (character === '[') return { kind: 'set', has: this.characterClass() };
    if (character === '^') return { kind: 'start' };
    if (character === '$') return { kind: 'end' };
    if (character === '.') return { kind: 'set', has: (other) => other !== '\n' };
    if (character === '\\') return { kind: 'set', has: this.escape() };
    if ('*+?'.includes(character)) this.refuse(`a "${character}" that repeats nothing`);
    return { kind: 'set', has: (other) => other === character };
  }

  private group(depth: number): PatternNode {
    if (this.take('?')) {
      if (this.take('P')) {
        if (!this.take('<')) this.refuse('a backreference');
        while (this.next() !== '>');
      } else if (!this.take(':')) {
        this.refuse('=!<'.includes(this.peek() ?? ' ') ? 'a lookaround' : 'flags or an extension after "(?"');
      }
    }
    const node = this.either(depth + 1);
    if (!this.take(')')) this.refuse('a "(" that is not closed');
    return node;
  }

  private repeated(item: PatternNode): PatternNode {
    const count = this.count();
    if (!count) return item;
    // Lazy: which way is tried first does not change whether there is a match.
    this.take('?');
    if (this.peek() === '+' || this.peek() === '*' || this.peek() === '?') this.refuse('a quantifier of a quantifier');
    if (item.kind === 'start' || item.kind === 'end') this.refuse('a quantifier of an anchor');
    return { kind: 'repeat', item, least: count[0], most: count[1] };
  }

  private count(): readonly [least: number, most: number] | undefined {
    if (this.take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.take('?')) return [0, 1];
    // As in Python, braces that are no count are characters.
    const braces = /^\{(\d*)(,?)(\d*)\}/.exec(this.characters.slice(this.at, this.at + 16).join(''));
    if (!braces || braces[0] === '{}') return undefined;
    this.at += braces[0].length;
    const least = Number(braces[1]);
    const most = braces[2] === '' ? least : braces[3] === '' ? Number.POSITIVE_INFINITY : Number(braces[3]);
    if (least > MAX_COUNT || (most !== Number.POSITIVE_INFINITY && most > MAX_COUNT) || most < least) {
      this.refuse(`a count of ${braces[0]}`);
    }
    return [least, most];
  }

  private escape(): Test {
    const character = this.next();
    const test = classes[character.toLowerCase()];
    if (test) return character === character.toLowerCase() ? test : (other) => !test(other);
    if (/[1-9]/.test(character)) this.refuse('a backreference');
    if (/[\p{L}\p{N}]/u.test(character)) this.refuse(`\\${character}`);
    return (other) => other === character;
  }

  private characterClass(): Test {
    const negated = this.take('^');
    const tests: Test[] = [];
    do {
      const from = this.next();
      if (from === '[' && this.peek() === ':') this.refuse('a POSIX class');
      if (from === '\\') tests.push(this.escape());
      else if (this.peek() === '-' && this.characters[this.at + 1] !== ']') {
        this.at++;
        const to = this.next();
        if (to === '\\' || to < from) this.refuse(`the range ${from}-${to}`);
        tests.push((other) => other >= from && other <= to);
      } else tests.push((other) => other === from);
    } while (!this.take(']'));
    return (other) => tests.some((test) => test(other)) !== negated;
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private next(): string {
    if (this.at === this.characters.length) this.refuse('no end');
    return this.characters[this.at++];
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at++;
    return true;
  }

  private refuse(what: string): never {
    return refusePattern(this.text, what);
  }
}
