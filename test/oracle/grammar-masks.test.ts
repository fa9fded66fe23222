// Token by token against llama.cpp's own grammars, on random walks: the same tokens may come next, and the text may end at the
// same places. Not compared: control tokens, whose text llama.cpp reads and quern does not, and tokens that are a part of a
// character.
import { existsSync } from 'node:fs';
import { openGguf } from '@quern/gguf';
import { Automaton, compileGrammar, GrammarMatcher, TokenTrie } from '@quern/grammar';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NativeModel, nativeGrammar, openNativeModel, oracleUnavailable } from './src/index.ts';

const data = process.env.QUERN_DATA ?? new URL('../../../shared/data', import.meta.url).pathname;
const path = `${data}/vocab/ggml-vocab-gpt-2.gguf`;
const unavailable = oracleUnavailable ?? (existsSync(path) ? undefined : `${path} is not there`);
if (unavailable) console.log(`Skipping the comparison of grammars with llama.cpp: ${unavailable}`);

const grammars: Record<string, string> = {
  'a list': 'root ::= "[" ws (item ("," ws item)*)? "]"\nitem ::= [a-z]+ | "\\"" [^"\\\\]* "\\""\nws ::= [ \\n]*',
  sums: 'root ::= sum\nsum ::= term (("+" | "-") term)*\nterm ::= factor (("*" | "/") factor)*\nfactor ::= [0-9]+ | "(" sum ")"',
  JSON: [
    'root ::= object',
    'value ::= object | array | string | number | ("true" | "false" | "null") ws',
    'object ::= "{" ws (string ":" ws value ("," ws string ":" ws value)*)? "}" ws',
    'array ::= "[" ws (value ("," ws value)*)? "]" ws',
    'string ::= "\\"" ([^"\\\\\\x7F\\x00-\\x1F] | "\\\\" (["\\\\bfnrt] | "u" [0-9a-fA-F]{4}))* "\\"" ws',
    'number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [1-9] [0-9]{0,15})? ws',
    'ws ::= | " " | "\\n" [ \\t]{0,20}',
  ].join('\n'),
  counts: 'root ::= ([a-f]{2,3} "-"){1,4} ("é" | "ü" | [α-ω])+ "."?',
  'two ways': 'root ::= (word | word " " word | "the")* end\nword ::= [a-zA-Z]+\nend ::= "!" | "." "."?',
};

describe.skipIf(unavailable)('masks are those of llama.cpp', () => {
  let native: NativeModel;
  let trie: TokenTrie;
  let compared: number[];
  let ends: number[];

  beforeAll(async () => {
    native = openNativeModel(path, { vocabOnly: true });
    const gguf = await openGguf(path);
    const tokenizer = tokenizerFromGguf(gguf.metadata);
    await gguf.close();
    const bytes = Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.decodeBytes([id]));
    trie = new TokenTrie(bytes);
    ends = [...tokenizer.endOfGeneration];
    const isText = (text: Uint8Array | undefined): boolean =>
      text !== undefined && text.length > 0 && !text.includes(0) && !new TextDecoder().decode(text).includes('\ufffd');
    compared = bytes.flatMap((text, id) => (isText(text) && !ends.includes(id) ? [id] : []));
  });
  afterAll(() => native.close());

  it.each(Object.keys(grammars))('%s', (name) => {
    let state = 3;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const automaton = new Automaton(compileGrammar({ kind: 'gbnf', text: grammars[name]! }), trie);
    let steps = 0;
    for (let walk = 0; walk < 4; walk++) {
      const theirs = nativeGrammar(native.vocab, native.vocabSize, grammars[name]!);
      const ours = new GrammarMatcher(automaton);
      for (let step = 0; step < 15; step++) {
        const may = theirs.allowed();
        const { allowed, complete } = ours;
        const wrong = compared.filter((token) => allowed.has(token) !== may[token]);
        expect(wrong.map((token) => new TextDecoder().decode(trie.bytesOf(token).slice()))).toEqual([]);
        expect(ends.map((end) => may[end])).toEqual(ends.map(() => complete));
        const next = compared.filter((token) => may[token]);
        if (next.length === 0) break;
        const token = next[random(next.length)]!;
        theirs.accept(token);
        expect(ours.accept(token)).toBe(true);
        steps++;
      }
      theirs.free();
    }
    expect(steps).toBeGreaterThan(8);
  });
});
