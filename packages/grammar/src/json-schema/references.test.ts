// A schema that refers to its own document, as the specification says it: "#" is the document, or the nearest one with an $id.
import { describe, expect, it } from 'vitest';
import { Automaton, GrammarMatcher } from '../matcher.ts';
import { compileGrammar } from '../source.ts';
import { TokenTrie } from '../tokens/token-trie.ts';

/** One token for each byte. */
const trie = new TokenTrie(Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)));

function accepts(schema: unknown, text: string): boolean {
  const matcher = new GrammarMatcher(new Automaton(compileGrammar({ kind: 'json-schema', schema }), trie));
  return [...new TextEncoder().encode(text)].every((byte) => matcher.accept(byte)) && matcher.complete;
}

const nodeOf = (reference: string) => ({
  type: 'object',
  properties: { value: { type: 'integer' }, next: { $ref: reference } },
  required: ['value'],
  additionalProperties: false,
});

describe('$ref to the document itself', () => {
  it.each([
    ['#', nodeOf('#')],
    ['# of a document with a name', { $id: 'https://example.com/node', ...nodeOf('#') }],
    ['the name with an empty fragment', { $id: 'https://example.com/node', ...nodeOf('https://example.com/node#') }],
  ])('%s: enforced at every depth', (_, schema) => {
    expect(accepts(schema, '{"value": 1, "next": {"value": 2, "next": {"value": 3}}}')).toBe(true);
    expect(accepts(schema, '{"value": 1, "next": {"value": 2, "next": {"value": "3"}}}')).toBe(false);
    expect(accepts(schema, '{"value": 1, "next": {"next": {"value": 3}}}')).toBe(false);
  });

  it('# inside a part with an $id of its own is that part', () => {
    const schema = {
      $id: 'https://example.com/list',
      type: 'array',
      items: { $id: 'node', ...nodeOf('#') },
    };
    expect(accepts(schema, '[{"value": 1, "next": {"value": 2}}]')).toBe(true);
    expect(accepts(schema, '[{"value": 1, "next": []}]')).toBe(false);
  });
});
