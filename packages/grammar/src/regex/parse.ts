// ECMAScript's regular expressions (flag u), as far as they are regular: no backreferences, no lookbehind. Where flag u is
// stricter than what people write in patterns (`\-`, `\_`, a lone `{`), the older, laxer meaning holds.
import { type CodePointSet, complement, setOfRanges, union } from '../characters/code-point-set.ts';
import { anyButLineEnds, property, shorthand } from './character-classes.ts';
import { RegexError, type RegexNode } from './node.ts';

const maxNesting = 100;
const maxLength = 100_000;

/** @throws RegexError */
export function parseRegex(source: string): RegexNode {
  if (source.length > maxLength) throw new RegexError(`it has more than ${maxLength} characters`);
  const parser = new RegexParser(source);
  const node = parser.choice(0);
  if (!parser.ended) throw new RegexError('there is a ) without (');
  return node;
}

class RegexParser {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#characters = [...source];
  }

  get ended(): boolean {
    return this.#at >= this.#characters.length;
  }

  choice(depth: number): RegexNode {
    if (depth > maxNesting) throw new RegexError(`groups nest deeper than ${maxNesting}`);
    const options = [this.#sequence(depth)];
    while (this.#takeIf('|')) options.push(this.#sequence(depth));
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  #sequence(depth: number): RegexNode {
    const items: RegexNode[] = [];
    while (!this.ended && this.#next !== '|' && this.#next !== ')') items.push(this.#quantified(depth));
    return items.length === 1 ? items[0]! : { kind: 'sequence', items };
  }

  #quantified(depth: number): RegexNode {
    const item = this.#atom(depth);
    const [min, max] = this.#quantifier() ?? [1, 1];
    this.#takeIf('?'); // lazy: the same texts match
    if (min === 1 && max === 1) return item;
    if (max < min) throw new RegexError(`{${min},${max}} asks for more than it allows`);
    return { kind: 'repeat', item, min, max };
  }

  #quantifier(): [number, number] | undefined {
    if (this.#takeIf('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#takeIf('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#takeIf('?')) return [0, 1];
    const counts = this.#takeMatch(/^\{(\d+)(,(\d*))?\}/);
    if (!counts) return undefined;
    const min = Number(counts[1]);
    return [min, counts[2] === undefined ? min : counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3])];
  }

  #atom(depth: number): RegexNode {
    const character = this.#take();
    switch (character) {
      case '.':
        return { kind: 'set', set: anyButLineEnds };
      case '^':
        return { kind: 'assertion', asserts: 'start' };
      case '$':
        return { kind: 'assertion', asserts: 'end' };
      case '[':
        return { kind: 'set', set: this.#class() };
      case '(':
        return this.#group(depth);
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw new RegexError(`nothing stands before ${character}`);
      default:
        return one(character.codePointAt(0)!);
    }
  }

  #group(depth: number): RegexNode {
    if (this.#takeIf('?<=') || this.#takeIf('?<!')) throw new RegexError('lookbehind cannot be enforced');
    const lookahead = this.#takeIf('?=') ? 'yes' : this.#takeIf('?!') ? 'no' : undefined;
    const plain = lookahead !== undefined || this.#takeIf('?:');
    const named = !plain && this.#takeMatch(/^\?<[\p{L}_$][\p{L}\p{N}_$]*>/u);
    if (!plain && !named && this.#next === '?') throw new RegexError('this kind of group (?… is not known');
    const inner = this.choice(depth + 1);
    if (!this.#takeIf(')')) throw new RegexError('there is a ( without )');
    if (lookahead) return { kind: 'lookahead', inner, negated: lookahead === 'no' };
    return plain ? inner : { kind: 'sequence', items: [inner], captured: true };
  }

  #escape(): RegexNode {
    if (this.#takeIf('b')) return { kind: 'assertion', asserts: 'wordBoundary' };
    if (this.#takeIf('B')) return { kind: 'assertion', asserts: 'noWordBoundary' };
    if (/[1-9k]/.test(this.#next)) throw new RegexError('backreferences cannot be enforced');
    return { kind: 'set', set: this.#escapedSet() };
  }

  /** Behind a backslash, inside and outside of brackets. */
  #escapedSet(): CodePointSet {
    const named = this.#takeMatch(/^([pP])\{([^}]*)\}/);
    if (named) return named[1] === 'p' ? property(named[2]!) : complement(property(named[2]!));
    const short = shorthand(this.#next);
    if (short) {
      this.#take();
      return short;
    }
    return setOfRanges([this.#escapedCharacter()].map((codePoint) => [codePoint, codePoint] as const));
  }

  #escapedCharacter(): number {
    const hex = this.#takeMatch(/^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]+)\})/);
    if (hex) return this.#withLowSurrogate(Number.parseInt(hex[1] ?? hex[2] ?? hex[3]!, 16));
    const control = this.#takeMatch(/^c([a-zA-Z])/);
    if (control) return control[1]!.charCodeAt(0) % 32;
    const character = this.#take();
    const named = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 }[character];
    if (named !== undefined) return named;
    if (/[a-zA-Z0-9]/.test(character)) throw new RegexError(`there is no escape \\${character}`);
    return character.codePointAt(0)!;
  }

  #withLowSurrogate(codePoint: number): number {
    if (codePoint > 0x10ffff) throw new RegexError(`U+${codePoint.toString(16)} is no character`);
    if (codePoint < 0xd800 || codePoint > 0xdbff) return codePoint;
    const low = this.#takeMatch(/^\\u(d[c-f][0-9a-f]{2})/i);
    if (!low) return codePoint;
    return 0x10000 + (codePoint - 0xd800) * 0x400 + (Number.parseInt(low[1]!, 16) - 0xdc00);
  }

  #class(): CodePointSet {
    const negated = this.#takeIf('^');
    const sets: CodePointSet[] = [];
    const ranges: [number, number][] = [];
    while (!this.#takeIf(']')) {
      const first = this.#classMember();
      const isRange = this.#next === '-' && this.#peek(1) !== ']';
      if (typeof first !== 'number' || !isRange) {
        if (typeof first === 'number') ranges.push([first, first]);
        else sets.push(first);
        continue;
      }
      this.#take();
      const last = this.#classMember();
      if (typeof last !== 'number') {
        ranges.push([first, first], [45, 45]);
        sets.push(last);
        continue;
      }
      if (last < first) throw new RegexError('a range of characters runs backwards');
      ranges.push([first, last]);
    }
    const set = union(setOfRanges(ranges), ...sets);
    return negated ? complement(set) : set;
  }

  #classMember(): number | CodePointSet {
    const character = this.#take();
    if (character !== '\\') return character.codePointAt(0)!;
    if (this.#takeIf('b')) return 8;
    if (/[dDwWsSpP]/.test(this.#next)) return this.#escapedSet();
    return this.#escapedCharacter();
  }

  get #next(): string {
    return this.#characters[this.#at] ?? '';
  }

  #peek(offset: number): string {
    return this.#characters[this.#at + offset] ?? '';
  }

  #take(): string {
    if (this.ended) throw new RegexError('it ends unexpectedly');
    return this.#characters[this.#at++]!;
  }

  #takeIf(text: string): boolean {
    if (![...text].every((character, i) => this.#peek(i) === character)) return false;
    this.#at += text.length;
    return true;
  }

  #takeMatch(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.#characters.slice(this.#at, this.#at + 64).join(''));
    if (!match) return undefined;
    this.#at += [...match[0]].length;
    return match;
  }
}

const one = (codePoint: number): RegexNode => ({ kind: 'set', set: setOfRanges([[codePoint, codePoint]]) });
