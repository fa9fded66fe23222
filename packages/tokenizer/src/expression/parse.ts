// Reads the regular expressions of tokenizer.json, in the dialect of the tokenizers library (Oniguruma with Ruby's syntax:
// `^` and `$` are those of lines, `\d`, `\s`, `\w` are Unicode's), as far as expressions for cutting words go.
// Source: Oniguruma doc/RE.

import { type CharacterSet, membershipOf } from './character-set.ts';
import { escapedCharacter, literal, propertyOf, shorthands } from './members.ts';
import type { Node, Place, RepeatMode } from './node.ts';
import { parseSet, plainSet } from './parse-set.ts';
import { ExpressionError, ExpressionReader } from './reader.ts';

/** Longer expressions are no expressions for cutting words. */
const maxLength = 1 << 16;
const maxCount = 10_000;

/** @throws ExpressionError */
export function parseExpression(source: string): Node {
  if (source.length > maxLength) throw new ExpressionError(`it has ${source.length} characters`);
  return new Parser(source).whole();
}

const places: Readonly<Record<string, Place>> = {
  ...{ b: 'word edge', B: 'inside or outside a word', A: 'text start', z: 'text end' },
};

class Parser {
  readonly #reader: ExpressionReader;

  constructor(source: string) {
    this.#reader = new ExpressionReader(source);
  }

  whole(): Node {
    const node = this.#choice();
    if (!this.#reader.isAtEnd) throw new ExpressionError(`there is no "(" for the ")" at ${this.#reader.at}`);
    return node;
  }

  #choice(): Node {
    const of = this.#reader.inside(() => {
      const choices: Node[] = [this.#sequence()];
      while (this.#reader.take('|')) choices.push(this.#sequence());
      return choices;
    });
    return of.length === 1 ? (of[0] as Node) : { kind: 'choice', of };
  }

  #sequence(): Node {
    const of: Node[] = [];
    while (!this.#reader.isAtEnd && !this.#reader.sees('|') && !this.#reader.sees(')')) of.push(this.#repeated());
    return of.length === 1 ? (of[0] as Node) : { kind: 'sequence', of };
  }

  #repeated(): Node {
    let node = this.#atom();
    for (;;) {
      const count = this.#count();
      if (!count) return node;
      const mode: RepeatMode = this.#reader.take('?')
        ? 'lazy'
        : count.braces
          ? 'greedy'
          : this.#reader.take('+')
            ? 'possessive'
            : 'greedy';
      node = { kind: 'repeat', of: node, min: count.min, max: count.max, mode };
    }
  }

  #count(): { min: number; max: number; braces: boolean } | undefined {
    if (this.#reader.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY, braces: false };
    if (this.#reader.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY, braces: false };
    if (this.#reader.take('?')) return { min: 0, max: 1, braces: false };
    const [text, low = '', comma, high = ''] = this.#reader.match(/\{(\d*)(,?)(\d*)\}/y) ?? [];
    if (text === undefined) return undefined;
    if (low === '' && high === '') throw new ExpressionError(`${text} is no count`);
    const min = Number(low || 0);
    const max = comma ? (high === '' ? Number.POSITIVE_INFINITY : Number(high)) : min;
    if (min > maxCount || (max > maxCount && max !== Number.POSITIVE_INFINITY) || max < min)
      throw new ExpressionError(`${text} is no count`);
    return { min, max, braces: true };
  }

  #atom(): Node {
    const start = this.#reader.at;
    const character = this.#reader.next();
    if (character === '(') return this.#group();
    if (character === '[') return setNode(parseSet(this.#reader));
    if (character === '.') return setNode(plainSet(this.#reader, ['\\n'], true));
    if (character === '^') return { kind: 'place', at: 'line start' };
    if (character === '$') return { kind: 'place', at: 'line end' };
    if (character === '\\') return this.#escape();
    if ('*+?'.includes(character)) throw new ExpressionError(`nothing stands before the "${character}" at ${start}`);
    return setNode(plainSet(this.#reader, [literal(character)], false));
  }

  #group(): Node {
    const before = this.#reader.ignoreCase;
    const node = this.#groupBody();
    this.#reader.ignoreCase = before;
    return node;
  }

  #groupBody(): Node {
    const inside = (): Node => {
      const node = this.#choice();
      if (!this.#reader.take(')')) throw new ExpressionError('a "(" has no ")"');
      return node;
    };
    if (!this.#reader.take('?')) return inside();
    if (this.#reader.take('#')) {
      this.#reader.match(/[^)]*/y);
      this.#reader.take(')');
      return { kind: 'sequence', of: [] };
    }
    if (this.#reader.take(':')) return inside();
    if (this.#reader.take('>')) return { kind: 'atomic', of: inside() };
    for (const [sign, behind, negated] of looks) {
      if (this.#reader.take(sign)) return { kind: 'look', behind, negated, of: inside() };
    }
    const [flags] = this.#reader.match(/-?i/y) ?? [];
    if (flags === undefined) {
      if (this.#reader.match(/<[A-Za-z]\w*>/y)) return inside();
      throw new ExpressionError(`the group at ${this.#reader.at} is of a kind that is not supported`);
    }
    this.#reader.ignoreCase = flags === 'i';
    if (this.#reader.take(':')) return inside();
    if (!this.#reader.take(')')) throw new ExpressionError(`the flags at ${this.#reader.at} are not supported`);
    // `(?i)` holds to the end of the group that it stands in.
    return this.#choice();
  }

  #escape(): Node {
    const [property] = this.#reader.match(/[pP]\{[^}]*\}/y) ?? [];
    if (property) return setNode(plainSet(this.#reader, [propertyOf(property)], false));
    const character = this.#reader.next();
    const place = places[character];
    if (place) return { kind: 'place', at: place };
    if (character === 'Z') return { kind: 'look', behind: false, negated: false, of: lastLineEnd };
    const members = shorthands[character.toLowerCase()];
    if (members) return setNode(plainSet(this.#reader, members, character !== character.toLowerCase()));
    if (character === 'R') return { kind: 'atomic', of: anyLineEnd };
    return setNode(plainSet(this.#reader, [escapedCharacter(this.#reader, character)], false));
  }
}

const looks: readonly (readonly [sign: string, behind: boolean, negated: boolean])[] = [
  ['=', false, false],
  ['!', false, true],
  ['<=', true, false],
  ['<!', true, true],
];

const lineFeed: Node = setNode({ negated: false, members: ['\\n'], nested: [], and: [], ignoreCase: false });
const textEnd: Node = { kind: 'place', at: 'text end' };
const lastLineEnd: Node = {
  kind: 'sequence',
  of: [{ kind: 'repeat', of: lineFeed, min: 0, max: 1, mode: 'greedy' }, textEnd],
};
const lineEnds: CharacterSet = {
  ...{ negated: false, nested: [], and: [], ignoreCase: false },
  members: ['\\n', '\\v', '\\f', '\\r', '\\u0085', '\\u2028', '\\u2029'],
};
const anyLineEnd: Node = {
  kind: 'choice',
  of: [{ kind: 'sequence', of: [setNode({ ...lineEnds, members: ['\\r'] }), lineFeed] }, setNode(lineEnds)],
};

function setNode(set: CharacterSet): Node {
  try {
    membershipOf(set);
  } catch {
    throw new ExpressionError(`[${set.members.join('')}] is no set of characters`);
  }
  return { kind: 'set', set };
}
