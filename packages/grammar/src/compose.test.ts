// Formats of tool calls written as data, read by programs of their own: JSON.parse, ajv, and parsers as small as the formats.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { Automaton, GrammarMatcher } from './matcher.ts';
import { compileGrammar, type GrammarSource } from './source.ts';
import { TokenTrie } from './tokens/token-trie.ts';

const encoder = new TextEncoder();
/** Behind the 256 bytes: two control tokens, which have no bytes. */
const [call, end] = [256, 257];
const names = new Map([
  ['<|call|>', call],
  ['<|end|>', end],
]);
const words = ['{"name": "', '", "arguments": ', '</', 'function>', '<think>', '</think>', '"', '}', ', ', '<', '</p'];
const trie = new TokenTrie([
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...[undefined, undefined],
  ...words.map((word) => encoder.encode(word)),
]);
const vocabulary = { tokenOf: (text: string) => names.get(text), vocabSize: trie.vocabSize };
const automatonOf = (source: GrammarSource) => new Automaton(compileGrammar(source, vocabulary), trie);

function reads(source: GrammarSource, ...pieces: (string | number)[]): boolean {
  const matcher = new GrammarMatcher(automatonOf(source));
  const read = pieces.every((piece) =>
    typeof piece === 'number' ? matcher.accept(piece) : matcher.acceptBytes(encoder.encode(piece)),
  );
  return read && matcher.complete;
}

/** What a model without any idea would write; bytes of texts that ended. */
function randomTexts(source: GrammarSource, count: number): string[] {
  const automaton = automatonOf(source);
  let state = 7;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const matcher = new GrammarMatcher(automaton);
    const bytes: number[] = [];
    for (let step = 0; step < 2_000; step++) {
      const allowed = [...matcher.allowed];
      if (matcher.complete && (allowed.length === 0 || random() < 0.5)) {
        texts.push(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes)));
        break;
      }
      expect(allowed.length).toBeGreaterThan(0);
      const closing = allowed.filter((token) => '<>"]}/'.includes(String.fromCharCode(token)));
      const from = closing.length > 0 && random() < 0.6 ? closing : allowed;
      const token = from[Math.floor(random() * from.length)]!;
      matcher.accept(token);
      bytes.push(...trie.bytesOf(token));
    }
  }
  return texts;
}

const text = (value: string): GrammarSource => ({ kind: 'text', text: value });
const weather = {
  type: 'object',
  properties: {
    city: { $ref: '#/$defs/city' },
    days: { type: 'integer', minimum: 1, maximum: 14 },
    wet: { type: 'boolean' },
  },
  required: ['city'],
  additionalProperties: false,
  $defs: { city: { type: 'string', minLength: 1, maxLength: 20 } },
};
const nothing = { type: 'object', additionalProperties: false };
const tools = { weather, nothing };

describe('a call as JSON between tags', () => {
  const format: GrammarSource = {
    kind: 'repeat',
    min: 1,
    max: 3,
    separator: text('\n'),
    item: {
      kind: 'one-of',
      options: Object.entries(tools).map(([name, schema]) => ({
        kind: 'sequence',
        parts: [
          text(`<tool_call>\n{"name": ${JSON.stringify(name)}, "arguments": `),
          { kind: 'json-schema', schema },
          text('}\n</tool_call>'),
        ],
      })),
    },
  };
  const written = (value: object): string =>
    `<tool_call>\n${JSON.stringify(value).replace(',"a', ', "a').replaceAll('":', '": ')}\n</tool_call>`;

  it('holds arguments to the schema of the tool that is named', () => {
    expect(reads(format, written({ name: 'weather', arguments: { city: 'Paris', days: 3 } }))).toBe(true);
    expect(
      reads(format, `${written({ name: 'nothing', arguments: {} })}\n${written({ name: 'nothing', arguments: {} })}`),
    ).toBe(true);
    expect(reads(format, written({ name: 'nothing', arguments: { city: 'Paris' } }))).toBe(false);
    expect(reads(format, written({ name: 'weather', arguments: { city: 'Paris', days: 15 } }))).toBe(false);
    expect(reads(format, written({ name: 'other', arguments: {} }))).toBe(false);
    expect(reads(format, '')).toBe(false);
  });

  it('random texts: every call is valid', () => {
    const validators = Object.fromEntries(
      Object.entries(tools).map(([name, schema]) => [name, new Ajv2020().compile(schema)]),
    );
    const calls = randomTexts(format, 60).flatMap((texts) => [
      ...texts.matchAll(/<tool_call>\n(.*?)\n<\/tool_call>/gs),
    ]);
    expect(calls.length).toBeGreaterThan(50);
    for (const [, json] of calls) {
      const { name, arguments: given } = JSON.parse(json!);
      expect(validators[name]!(given), json).toBe(true);
    }
  });
});

describe('a call with tags around each value', () => {
  const parameter = (name: string): GrammarSource => ({
    kind: 'sequence',
    parts: [
      text(`<parameter=${name}>\n`),
      { kind: 'bare-value', schema: weather, at: `/properties/${name}`, until: ['</parameter>'] },
      text('\n</parameter>\n'),
    ],
  });
  const format: GrammarSource = {
    kind: 'sequence',
    parts: [
      text('<function=weather>\n'),
      parameter('city'),
      ...['days', 'wet'].map((name): GrammarSource => ({ kind: 'optional', item: parameter(name) })),
      text('</function>'),
    ],
  };
  const written = (values: Record<string, string>): string =>
    `<function=weather>\n${Object.entries(values)
      .map(([name, value]) => `<parameter=${name}>\n${value}\n</parameter>\n`)
      .join('')}</function>`;

  it('texts stand bare, within their schema; everything else is JSON', () => {
    expect(reads(format, written({ city: 'São "Paulo" </p' }))).toBe(true);
    expect(reads(format, written({ city: 'x', days: '3', wet: 'true' }))).toBe(true);
    expect(reads(format, written({ city: 'x', days: '15' }))).toBe(false);
    expect(reads(format, written({ city: 'x', wet: 'True' }))).toBe(false);
    expect(reads(format, written({ city: 'x'.repeat(21) }))).toBe(false);
    expect(reads(format, written({ city: '' }))).toBe(false);
    expect(reads(format, written({ days: '3' }))).toBe(false);
  });

  it('random texts: what stands between the tags is valid', () => {
    const validate = new Ajv2020().compile(weather);
    const texts = randomTexts(format, 60);
    expect(texts.length).toBeGreaterThan(40);
    for (const written of texts) {
      const values = [...written.matchAll(/<parameter=(\w+)>\n(.*?)\n<\/parameter>\n/gs)];
      const given = Object.fromEntries(
        values.map(([, name, value]) => [name, name === 'city' ? value : JSON.parse(value!)]),
      );
      expect(validate(given), written).toBe(true);
    }
  });

  it.each<[string, unknown, string[], string[]]>([
    ['anything', true, ['a <b', '{"a": 1}', ''], ['a</x>b']],
    ['listed values', { enum: ['one', 'a</x>', 2, null] }, ['one', '2', 'null'], ['"one"', 'two', 'a</x>']],
    ['several types', { type: ['string', 'integer'], minLength: 2 }, ['1', 'ab', '12'], ['a']],
    ['a pattern', { type: 'string', pattern: '^[a-z<]+$' }, ['a<b'], ['A', '']],
    ['a list', { type: 'array', items: { type: 'string' } }, ['["a", "b"]'], ['[a]']],
    ['one of several', { anyOf: [{ type: 'string', maxLength: 1 }, { type: 'number' }] }, ['x', '12.5'], ['xy']],
  ])('%s', (_, schema, valid, invalid) => {
    const source: GrammarSource = {
      kind: 'sequence',
      parts: [{ kind: 'bare-value', schema, until: ['</x>'] }, text('</x>')],
    };
    for (const value of valid) expect(reads(source, `${value}</x>`), value).toBe(true);
    for (const value of invalid) expect(reads(source, `${value}</x>`), value).toBe(false);
  });
});

describe('other formats', () => {
  it('special tokens, and their text where the vocabulary has none', () => {
    const source: GrammarSource = {
      kind: 'sequence',
      parts: [
        { kind: 'token', text: '<|call|>' },
        { kind: 'free', until: ['<|', ']'] },
        { kind: 'token', text: '<|end|>' },
        { kind: 'token', text: '<|none|>' },
      ],
    };
    expect(reads(source, call, 'a b', end, '<|none|>')).toBe(true);
    expect(reads(source, call, 'a <| b', end, '<|none|>')).toBe(false);
    expect(reads(source, '<|call|>', 'a b', end, '<|none|>')).toBe(false);
    const matcher = new GrammarMatcher(automatonOf(source));
    expect([...matcher.allowed]).toEqual([call]);
  });

  it('calls as Python writes them', () => {
    const argument = (name: string): GrammarSource => ({
      kind: 'sequence',
      parts: [
        text(`${name}=`),
        { kind: 'json-schema', schema: weather, at: `/properties/${name}`, spelling: 'python' },
      ],
    });
    const source: GrammarSource = {
      kind: 'sequence',
      parts: [
        text('[weather('),
        argument('city'),
        { kind: 'optional', item: { kind: 'sequence', parts: [text(', '), argument('wet')] } },
        text(')]'),
      ],
    };
    expect(reads(source, '[weather(city="Paris", wet=True)]')).toBe(true);
    expect(reads(source, '[weather(city="Paris")]')).toBe(true);
    expect(reads(source, '[weather(city="Paris", wet=true)]')).toBe(false);
  });

  it('reasoning that the model opens itself, or none, and then the schema', () => {
    const source: GrammarSource = {
      kind: 'one-of',
      options: [
        { kind: 'json-schema', schema: { type: 'integer' } },
        {
          kind: 'sequence',
          parts: [
            text('<think>'),
            { kind: 'free', until: ['</think>'] },
            text('</think>'),
            { kind: 'json-schema', schema: { type: 'integer' } },
          ],
        },
      ],
    };
    expect(reads(source, '12')).toBe(true);
    expect(reads(source, '<think>\nso "it" is </thin 12\n</think>\n\n12')).toBe(true);
    expect(reads(source, '<think>12')).toBe(false);
    expect(reads(source, '<think>12</think>a')).toBe(false);
    expect(reads(source, 'so it is 12')).toBe(false);
  });

  it('GBNF beside GBNF: rules of one name are two rules', () => {
    const gbnf = (letter: string): GrammarSource => ({
      kind: 'gbnf',
      text: `root ::= word "!"\nword ::= "${letter}"+`,
    });
    const source: GrammarSource = {
      kind: 'sequence',
      parts: [gbnf('a'), { kind: 'choice', choices: ['1', '2'] }, gbnf('b'), { kind: 'regex', pattern: 'x|y+' }],
    };
    expect(reads(source, 'aa!1bb!y')).toBe(true);
    expect(reads(source, 'aa!1aa!y')).toBe(false);
    expect(reads(source, 'aa!1bb!x')).toBe(true);
    expect(reads(source, 'aa!1bb!xx')).toBe(false);
  });

  it('what cannot be enforced is refused wherever it stands', () => {
    const source: GrammarSource = {
      kind: 'sequence',
      parts: [text('a'), { kind: 'json-schema', schema: weather, at: '/properties/town' }],
    };
    expect(() => automatonOf(source)).toThrow('nothing at "/properties/town"');
    expect(() =>
      automatonOf({ kind: 'optional', item: { kind: 'bare-value', schema: { $ref: '#/no' }, until: [] } }),
    ).toThrow('$ref at #');
    let deep: GrammarSource = text('a');
    for (let i = 0; i < 300; i++) deep = { kind: 'optional', item: deep };
    expect(() => automatonOf(deep)).toThrow('nests deeper');
  });
});
