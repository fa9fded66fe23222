import { QuernError } from '@quern/errors';
import { expect, it } from 'vitest';
import { Automaton } from '../matcher.ts';
import { compileGrammar, type GrammarSource } from '../source.ts';
import { TokenTrie } from '../tokens/token-trie.ts';
import { LazyConstraint } from './lazy-constraint.ts';
import type { GrammarTrigger } from './starter.ts';

const encoder = new TextEncoder();
const texts = ['a', 'b', '<', '<c', 'call>', '>', '1', '2', '>1', '>x', 'all>2', '1</c', 'call>x', ' ', 'c', 'l'];
const trie = new TokenTrie([...texts.map((text) => encoder.encode(text)), undefined, undefined]);
const end = texts.length;
const called = texts.length + 1;
const digits: GrammarSource = { kind: 'gbnf', text: 'root ::= "<call>" [0-9]+ "."?' };

const lazy = (trigger: GrammarTrigger, source: GrammarSource = digits) =>
  new LazyConstraint(new Automaton(compileGrammar(source), trie), new Set([end]), trigger);

/** Texts of the tokens that may follow; `end` and `called` for those without a text. */
function allowed(constraint: LazyConstraint): string[] {
  const logits = new Float32Array(trie.vocabSize);
  constraint.apply(logits);
  const names = [...texts, 'end', 'called'];
  return names.filter((_, token) => logits[token] === 0);
}
const accept = (constraint: LazyConstraint, ...words: string[]): void => {
  for (const word of words) constraint.accept(texts.indexOf(word));
};
const everything = [...texts, 'end', 'called'];

it('leaves the text free until the word, in whatever tokens it comes', () => {
  for (const way of [
    ['<c', 'a', 'l', 'l'],
    ['a', '<', '<', 'c', 'a', 'l', 'l'],
  ]) {
    const constraint = lazy({ words: ['<call>'] });
    accept(constraint, ...way);
    // `>1` ends the word and goes on as the grammar does; `>x` would not.
    expect(allowed(constraint)).toEqual(everything.filter((text) => text !== '>x'));
    accept(constraint, '>');
    expect(allowed(constraint)).toEqual(['1', '2']);
    accept(constraint, '1');
    expect(allowed(constraint)).toEqual(['1', '2', 'end']);
  }
});

it('holds the rest of the token that ends the word to the grammar', () => {
  const constraint = lazy({ words: ['<call>'] });
  accept(constraint, '<c');
  expect(allowed(constraint)).toEqual(everything);
  accept(constraint, 'all>2');
  expect(allowed(constraint)).toEqual(['1', '2', 'end']);
  const other = lazy({ words: ['<call>'] });
  accept(other, '<');
  expect(allowed(other)).toEqual(everything.filter((text) => text !== 'call>x'));
});

it('may begin behind the word, or with a token', () => {
  const numbers: GrammarSource = { kind: 'regex', pattern: '[0-9]{2}' };
  const behind = lazy({ words: ['>'], from: 'behind' }, numbers);
  accept(behind, 'a', '>1');
  expect(allowed(behind)).toEqual(['1', '2']);
  accept(behind, '2');
  expect(behind.finished).toBe(true);
  const token = lazy({ tokens: [called], from: 'behind' }, numbers);
  accept(token, '>1');
  expect(allowed(token)).toEqual(everything);
  token.accept(called);
  expect(allowed(token)).toEqual(['1', '2']);
});

it('waits for a pattern, and begins with its group', () => {
  const constraint = lazy({ patterns: ['b+(<c[al]*>)'] });
  accept(constraint, 'a', '<c', 'a', 'l', 'l');
  // Nothing stands in front of it that the pattern asks for.
  expect(allowed(constraint)).toEqual(everything);
  accept(constraint, '>', 'b', 'b', '<c', 'a', 'l', 'l');
  // `<callall>2` would switch on what does not begin so.
  expect(allowed(constraint)).toEqual(everything.filter((text) => !['>x', 'all>2'].includes(text)));
  accept(constraint, '>1');
  expect(allowed(constraint)).toEqual(['1', '2', 'end']);
  const other = lazy({ patterns: ['b+(<c[al]*>)'] });
  accept(other, 'b', '<c');
  expect(allowed(other)).toEqual(everything.filter((text) => !['>', '>1', '>x'].includes(text)));
});

it('refuses to wait for nothing, or for what the grammar forbids', () => {
  expect(() => lazy({})).toThrow(QuernError);
  expect(() => lazy({ words: [''] })).toThrow(QuernError);
  expect(() => lazy({ words: ['<other>'] })).toThrow('begins with "<other>"');
});
