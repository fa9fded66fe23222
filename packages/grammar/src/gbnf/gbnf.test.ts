// Against a recognizer that knows no automata: it tries every way to read a text, on the grammar's tree.
import { QuernError } from '@quern/errors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { programOf } from '../machine/lower.ts';
import { Automaton, GrammarMatcher } from '../matcher.ts';
import { TokenTrie } from '../tokens/token-trie.ts';
import { parseGbnf } from './parse.ts';

type Node =
  | { kind: 'literal'; text: string }
  | { kind: 'set'; characters: string; negated: boolean }
  | { kind: 'rule'; index: number }
  | { kind: 'sequence' | 'choice'; parts: Node[] }
  | { kind: 'repeat'; part: Node; min: number; max: number };

const alphabet = ['a', 'b', 'c', 'é', '"'];
const ruleCount = 3;

/** `from`: rules below it may only be entered behind a character, so that no rule begins with itself. */
const nodes = (from: number): fc.Arbitrary<Node> =>
  fc.letrec<{ node: Node; leaf: Node }>((tie) => ({
    leaf: fc.oneof(
      fc.record({
        kind: fc.constant('literal' as const),
        text: fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 3 }),
      }),
      fc.record({
        kind: fc.constant('set' as const),
        characters: fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength: 3 }),
        negated: fc.boolean(),
      }),
      fc.integer({ min: 0, max: ruleCount - 1 }).map((index): Node => {
        const call: Node = { kind: 'rule', index };
        return index > from ? call : { kind: 'sequence', parts: [{ kind: 'literal', text: 'a' }, call] };
      }),
    ),
    node: fc.oneof(
      { maxDepth: 3 },
      tie('leaf'),
      fc.record({
        kind: fc.constantFrom('sequence' as const, 'choice' as const),
        parts: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
      }),
      fc
        .record({ part: tie('node'), min: fc.integer({ min: 0, max: 2 }), more: fc.constantFrom(0, 1, Infinity) })
        .map(({ part, min, more }): Node => ({ kind: 'repeat', part, min, max: min + more })),
    ),
  })).node;
const grammars = fc.tuple(nodes(0), nodes(1), nodes(2));

function written(node: Node): string {
  if (node.kind === 'literal') return `"${node.text.replaceAll('"', '\\"')}"`;
  if (node.kind === 'set') return `[${node.negated ? '^' : ''}${node.characters}]`;
  if (node.kind === 'rule') return nameOf(node.index);
  if (node.kind === 'repeat')
    return `(${written(node.part)}){${node.min},${node.max === Number.POSITIVE_INFINITY ? '' : node.max}}`;
  return `(${node.parts.map(written).join(node.kind === 'choice' ? ' | ' : ' ')})`;
}
const nameOf = (index: number): string => (index === 0 ? 'root' : `rule-${index}`);

type Ends = (node: Node, start: number) => Set<number>;

/** Every place where a node can end when it begins at `start`: found once, for ways to read a text can be too many to try. */
function endsIn(rules: readonly Node[], text: readonly string[]): Ends {
  const known = new Map<Node, Map<number, Set<number>>>();
  const ends: Ends = (node, start) => {
    const ofNode = known.get(node) ?? new Map<number, Set<number>>();
    known.set(node, ofNode);
    const found = ofNode.get(start) ?? endsOf(node, start, rules, text, ends);
    ofNode.set(start, found);
    return found;
  };
  return ends;
}

function endsOf(node: Node, start: number, rules: readonly Node[], text: readonly string[], inner: Ends): Set<number> {
  const then = (places: Set<number>, part: Node): Set<number> =>
    new Set([...places].flatMap((at) => [...inner(part, at)]));
  switch (node.kind) {
    case 'literal': {
      const characters = [...node.text];
      return characters.every((character, i) => text[start + i] === character)
        ? new Set([start + characters.length])
        : new Set();
    }
    case 'set':
      return start < text.length && [...node.characters].includes(text[start]!) !== node.negated
        ? new Set([start + 1])
        : new Set();
    case 'rule':
      return inner(rules[node.index]!, start);
    case 'sequence':
      return node.parts.reduce((places, part) => then(places, part), new Set([start]));
    case 'choice':
      return new Set(node.parts.flatMap((part) => [...inner(part, start)]));
    case 'repeat': {
      let places = new Set([start]);
      const found = new Set<number>(node.min === 0 ? [start] : []);
      for (let count = 1; count <= Math.min(node.max, node.min + text.length + 1) && places.size > 0; count++) {
        places = then(places, node.part);
        if (count >= node.min) for (const place of places) found.add(place);
      }
      return found;
    }
  }
}

const encoder = new TextEncoder();
const tokens = ['a', 'b', 'c', 'é', '"', 'ab', 'ba', 'abc', 'aa', 'é"', '""', 'cé'].map((text) => encoder.encode(text));
/** With every byte, so that what a grammar allows can always be written. */
const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
const trie = new TokenTrie([...tokens, undefined, tokens[0], ...bytes]);

function matcherOf(rules: readonly Node[]): GrammarMatcher | undefined {
  const gbnf = rules.map((node, index) => `${nameOf(index)} ::= ${written(node)}`).join('\n');
  try {
    return new GrammarMatcher(new Automaton(programOf({ rules: parseGbnf(gbnf) }, 'root'), trie));
  } catch (error) {
    if (error instanceof QuernError && error.code === 'grammar-unsatisfiable') return undefined;
    throw error;
  }
}

describe('random grammars', () => {
  it('accept the texts that trying every way accepts', () => {
    fc.assert(
      fc.property(
        grammars,
        fc.array(fc.array(fc.constantFrom(...alphabet), { maxLength: 7 }), { minLength: 8 }),
        (rules, texts) => {
          const start = matcherOf(rules);
          for (const text of texts) {
            const matcher = start?.fork();
            const accepted = matcher?.acceptBytes(encoder.encode(text.join(''))) === true && matcher.complete;
            expect(accepted).toBe(endsIn(rules, text)(rules[0], 0).has(text.length));
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('allow exactly the tokens that can be accepted, at every place, and never lead nowhere', () => {
    fc.assert(
      fc.property(grammars, fc.array(fc.nat(), { maxLength: 6 }), (rules, choices) => {
        const matcher = matcherOf(rules);
        if (!matcher) return;
        for (const choice of choices) {
          const allowed = [...matcher.allowed];
          expect(allowed).toEqual(
            Array.from({ length: trie.vocabSize }, (_, token) => token).filter((token) => matcher.fork().accept(token)),
          );
          if (allowed.length === 0) {
            expect(matcher.complete).toBe(true);
            return;
          }
          expect(matcher.accept(allowed[choice % allowed.length]!)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});

const accepts = (gbnf: string, text: string): boolean => {
  const matcher = new GrammarMatcher(new Automaton(programOf({ rules: parseGbnf(gbnf) }, 'root'), trie));
  return matcher.acceptBytes(encoder.encode(text)) && matcher.complete;
};

describe('the dialect', () => {
  it.each([
    ['root ::= "a" "b"', ['ab'], ['a', 'abc', '']],
    ['# a comment\nroot ::= x | y # another\nx ::= "a"\n\ny ::= "b"', ['a', 'b'], ['c']],
    ['root ::= (\n "a" # inside\n | "b"\n)', ['a', 'b'], ['ab']],
    ['root ::= "a" |\n "b"', ['a', 'b'], []],
    [String.raw`root ::= "\x41\u00e9\U0001F600\n\t\r\\\"\[\]"`, ['Aé😀\n\t\r\\"[]'], []],
    [String.raw`root ::= [\]\-\[^]`, [']', '-', '[', '^'], ['a']],
    ['root ::= [a-cx-]', ['b', 'x', '-'], ['d', '']],
    ['root ::= [^a-c]', ['d', '😀', '\n'], ['a', 'dd']],
    ['root ::= .', ['d', '\n', '字'], ['', 'dd']],
    ['root ::= "ab"{2}', ['abab'], ['abb', 'ab']],
    ['root ::= "a"{2,}', ['aa', 'aaaaa'], ['a']],
    ['root ::= "a"{ 1 , 3 }', ['a', 'aaa'], ['', 'aaaa']],
    ['root ::= ("a"?){0,65536} "b"', ['b', 'aab'], ['a']],
    ['root ::= "(" root? ")"', ['()', '((()))'], ['(', '())']],
    ['root ::= ""', [''], ['a']],
    ['root ::= []', [''], ['a']],
    ['root ::= "a"+?', ['', 'aa'], ['b']],
    ['root ::= "x"\nroot ::= "y"', ['y'], ['x']],
    ['root-1 ::= "a"\r\nroot ::= root-1', ['a'], []],
  ] as [string, string[], string[]][])('%j', (gbnf, good, bad) => {
    for (const text of good) expect(accepts(gbnf, text), text).toBe(true);
    for (const text of bad) expect(accepts(gbnf, text), text).toBe(false);
  });

  it('reads tokens by number and by text', () => {
    const gbnf = 'root ::= <[0]> !<[1]> <é>';
    const rules = parseGbnf(gbnf, { tokenOf: (text) => (text === '<é>' ? 12 : undefined) });
    const matcher = new GrammarMatcher(new Automaton(programOf({ rules }, 'root'), trie));
    expect([...matcher.allowed]).toEqual([0]); // token 13 has the same bytes and is another token
    expect(matcher.accept(13)).toBe(false);
    expect(matcher.accept(0)).toBe(true);
    expect([...matcher.allowed]).toEqual(
      Array.from({ length: trie.vocabSize }, (_, token) => token).filter((id) => id !== 1),
    );
    expect(matcher.accept(2) && matcher.accept(12) && matcher.complete).toBe(true);
  });

  it.each([
    ['root ::= "a', 'ends unexpectedly'],
    ['root ::= *', 'nothing stands before *'],
    ['root = "a"', 'expected ::='],
    ['root ::= "a" )', 'expected the end of the line'],
    ['root ::= ("a"', 'expected )'],
    [String.raw`root ::= "\q"`, 'no escape'],
    [String.raw`root ::= "\xZZ"`, 'hexadecimal'],
    ['root ::= "a"{2,1}', 'asks for more'],
    ['root ::= [z-a]', 'backwards'],
    ['root ::= <nothing>', 'no single token <nothing>'],
    ['root ::= <[20]>', 'there is no token 20, the vocabulary has 20'],
    ['root ::= !<[4294967296]>', 'there is no token 4294967296'],
    [`root ::= ${'('.repeat(10_000)}"a"`, 'nest deeper'],
  ])('refuses %j', (gbnf, message) => {
    expect(() => parseGbnf(gbnf, { vocabSize: 20 })).toThrow(message);
  });
});

describe('hostile grammars', () => {
  const codeOf = (gbnf: string): string => {
    try {
      accepts(gbnf, 'a'.repeat(200));
    } catch (error) {
      if (error instanceof QuernError) return error.code;
      throw error;
    }
    return 'none';
  };

  it.each([
    ['root ::= root "a" | "b"', 'grammar-left-recursion'],
    ['root ::= x? root "a" | "b"\nx ::= "y"', 'grammar-left-recursion'],
    ['root ::= x\nx ::= y*\ny ::= x', 'grammar-left-recursion'],
    ['root ::= "a" root', 'grammar-unsatisfiable'],
    ['root ::= missing', 'grammar-rule-missing'],
    ['other ::= "a"', 'grammar-rule-missing'],
    [`root ::= ${'"a"'.repeat(50_000)}`, 'none'],
    [`root ::= ("a" | "b"){0,65536} ${'x '.repeat(50_000)}\nx ::= "a"`, 'none'],
    [`root ::= ${'"abcdefghijklmnopqrstuvwxyz" '.repeat(40_000)}`, 'grammar-too-large'],
    // A text can be divided into such repetitions in more ways than anyone can follow.
    ['root ::= (("a"?){1,1000}){1,1000}', 'grammar-too-ambiguous'],
  ])('%.60s', (gbnf, code) => {
    expect(codeOf(gbnf)).toBe(code);
  });
});
