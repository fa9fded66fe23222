// What tests of schemas share: texts by tokens at random, judged by ajv, which knows nothing of grammars.
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import { Automaton, GrammarMatcher } from '../matcher.ts';
import { compileGrammar } from '../source.ts';
import { TokenTrie } from '../tokens/token-trie.ts';

const encoder = new TextEncoder();
const words = [
  '{"',
  '":',
  '": ',
  '", "',
  '"}',
  ', ',
  '[',
  ']',
  'true',
  'null',
  '12',
  '0.',
  'ab',
  'name',
  'é',
  '\\u00',
  '-1',
  '  ',
];
const trie = new TokenTrie([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...words.map((word) => encoder.encode(word)),
]);
export const ajv = new Ajv2020({ strict: false, multipleOfPrecision: 12 });
(addFormats as unknown as (ajv: Ajv2020) => void)(ajv);

export const automatonOf = (schema: unknown, closed = false) =>
  new Automaton(compileGrammar({ kind: 'json-schema', schema, closed }), trie);
export function reads(automaton: Automaton, text: string): boolean {
  const matcher = new GrammarMatcher(automaton);
  return matcher.acceptBytes(encoder.encode(text)) && matcher.complete;
}

/** What a model without any idea would write: tokens at random, and the end as soon as it may. */
function randomText(automaton: Automaton, random: () => number): string | undefined {
  const matcher = new GrammarMatcher(automaton);
  const bytes: number[] = [];
  for (let step = 0; step < 1500; step++) {
    const allowed = [...matcher.allowed];
    if (matcher.complete && (allowed.length === 0 || random() < 0.5))
      return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
    expect(allowed.length, `stuck behind ${new TextDecoder().decode(Uint8Array.from(bytes))}`).toBeGreaterThan(0);
    // Closing is preferred, so that texts end.
    const closing = allowed.filter((token) => '"]}'.includes(String.fromCharCode(token)));
    const token = closing.length > 0 && random() < 0.4 ? closing[0]! : allowed[Math.floor(random() * allowed.length)]!;
    expect(matcher.accept(token)).toBe(true);
    bytes.push(...trie.bytesOf(token));
  }
  return undefined;
}

function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Sound on random texts. Returns how many were finished. */
export function checkTexts(schema: object | boolean, count: number, seed = 1, closed = false): number {
  const automaton = automatonOf(schema, closed);
  const validate = ajv.compile(schema);
  let finished = 0;
  for (let i = 0; i < count; i++) {
    const text = randomText(automaton, randomOf(seed + i));
    if (text === undefined) continue;
    finished++;
    expect(validate(JSON.parse(text)), `${text} under ${JSON.stringify(schema)}`).toBe(true);
  }
  return finished;
}

/** A name, a schema, values that it allows, and values that it does not. */
export type SchemaCase = [string, object | boolean, unknown[], unknown[]];

export function checkInstances([, schema, valid, invalid]: SchemaCase): void {
  const automaton = automatonOf(schema);
  const validate = ajv.compile(schema);
  for (const value of valid) {
    expect(validate(value)).toBe(true);
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
      expect(reads(automaton, text), text).toBe(true);
  }
  for (const value of invalid) {
    expect(validate(value)).toBe(false);
    expect(reads(automaton, JSON.stringify(value)), JSON.stringify(value)).toBe(false);
  }
}
