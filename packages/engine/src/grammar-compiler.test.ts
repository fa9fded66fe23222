// The thread that compiles grammars: what it makes is what compiling here makes, and the caller stays free.
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Automaton, compileGrammar, GrammarMatcher, type GrammarSource, TokenTrie } from '@quern/grammar';
import { openModel } from '@quern/models';
import { tokenizerFromGguf } from '@quern/tokenizer';
import { afterAll, describe, expect, it } from 'vitest';
import { GrammarCompiler } from './grammar-compiler.ts';
import { Grammars } from './grammars.ts';

const compiler = new GrammarCompiler();
afterAll(() => compiler.close());

const vocabulary = { tokenOf: (text: string) => (text === '<think>' ? 256 : undefined), vocabSize: 257 };
const trie = new TokenTrie([...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), undefined]);

describe('the compiler', () => {
  it.each<GrammarSource>([
    {
      kind: 'json-schema',
      schema: { type: 'object', properties: { a: { type: 'string', format: 'date' } }, required: ['a'] },
    },
    { kind: 'gbnf', text: 'root ::= <think> [a-c]{2,2147483648} "<think>" | "x"*' },
    {
      kind: 'repeat',
      item: { kind: 'choice', choices: ['ab', 'b'] },
      min: 2,
      separator: { kind: 'token', text: '<think>' },
    },
  ])('makes what is made here: %j', async (source) => {
    const { program } = await compiler.compile(source, vocabulary, undefined);
    const there = new GrammarMatcher(new Automaton(program, trie));
    const here = new GrammarMatcher(new Automaton(compileGrammar(source, vocabulary), trie));
    for (let step = 0; step < 40; step++) {
      const allowed = [...here.allowed];
      expect([...there.allowed]).toEqual(allowed);
      expect(there.complete).toBe(here.complete);
      if (allowed.length === 0) break;
      const token = allowed[(7 * step) % allowed.length]!;
      expect([there.accept(token), here.accept(token)]).toEqual([true, true]);
    }
  });

  it('tells errors as they are', async () => {
    const schema = { properties: { a: { $ref: 'elsewhere' } } };
    await expect(compiler.compile({ kind: 'json-schema', schema }, vocabulary, undefined)).rejects.toMatchObject({
      code: 'schema-unsupported',
      message: expect.stringContaining('$ref at #/properties/a'),
    });
    const trigger = { words: ['b'] };
    await expect(compiler.compile({ kind: 'choice', choices: ['a'] }, vocabulary, trigger)).rejects.toMatchObject({
      code: 'grammar-trigger-invalid',
    });
  });

  it('leaves its caller free while it works on a schema that takes all that is allowed', async () => {
    const bound = (i: number) => ({ type: 'number', minimum: i + 0.123456789, maximum: 1e6 + i / 7 });
    const properties = Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`p${i}`, bound(i)]));
    let done = false;
    const refused = compiler
      .compile({ kind: 'json-schema', schema: { properties } }, vocabulary, undefined)
      .catch((error) => {
        done = true;
        return error;
      });
    let turns = 0;
    while (!done && turns < 20) {
      await turn();
      turns++;
    }
    expect(turns).toBe(20);
    expect((await refused).code).toBe('grammar-too-much-work');
  });

  it('makes nothing that nobody waits for any more', async () => {
    const grammar = (pattern: string): GrammarSource => ({ kind: 'regex', pattern });
    const leaving = new AbortController();
    const first = compiler.compile(grammar('q{1,2000}'), vocabulary, undefined);
    const second = compiler.compile(grammar('left'), vocabulary, undefined, leaving.signal);
    const third = compiler.compile(grammar('shared'), vocabulary, undefined, leaving.signal);
    const stays = compiler.compile(grammar('shared'), vocabulary, undefined, new AbortController().signal);
    leaving.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled' });
    expect(await stays).toBe(await third);
    expect((await first).kind).toBe('compiled');
    expect((await compiler.compile(grammar('left'), vocabulary, undefined)).kind).toBe('compiled');
  });

  it('keeps what it has made', async () => {
    const source: GrammarSource = { kind: 'regex', pattern: 'a+' };
    const first = await compiler.compile(source, vocabulary, undefined);
    expect(await compiler.compile({ ...source }, vocabulary, undefined)).toBe(first);
    expect(compiler.known({ ...source }, undefined)).toBe(first);
    for (let i = 0; i < 40; i++) await compiler.compile({ kind: 'choice', choices: [`${i}`] }, vocabulary, undefined);
    expect(compiler.known(source, undefined)).toBeUndefined();
  });

  it('lays the vocabulary of a model out, which who uses its grammars then need not read', async () => {
    const modelPath = fileURLToPath(new URL('../../../test/models/arch/llama3', import.meta.url));
    const ofModel = new GrammarCompiler({ modelPath });
    const compiled = await ofModel.compile({ kind: 'regex', pattern: '^[a-c]{3}$' }, vocabulary, undefined);
    ofModel.close();
    const unread = new Map<string, never>();
    const constraint = new Grammars(unread).constraint(compiled, undefined, new Set());
    const view = await openModel(modelPath);
    const tokenizer = tokenizerFromGguf(view.metadata);
    await view.close();
    const logits = new Float32Array(tokenizer.vocabSize);
    constraint.apply(logits);
    const texts = Array.from(logits, (_, id) => new TextDecoder().decode(tokenizer.decodeBytes([id])));
    const begins = texts.map((text) => /^[a-c]{1,3}$/.test(text));
    expect(begins.filter(Boolean).length).toBeGreaterThan(2);
    expect(Array.from(logits, (logit) => logit === 0)).toEqual(begins);
  });
});
