// Tokenizers and chat templates in an enemy's hand: each is a named error, or a run that is bounded in time and memory.
import { QuernError } from '@quern/errors';
import { ggufTokenizerMetadata, renderChat, tokenizerFromGguf, tokenizerViewFromHf } from '@quern/tokenizer';
import { describe, expect, it } from 'vitest';

type Json = Record<string, unknown>;

/** Of processor time: some run for seconds, what is not bounded runs for hours. */
const patienceMs = 60_000;
const maxGrowth = 2 ** 30;

/** The code of the error, or `done`. Any other error, a long run and a large process fail. */
async function outcomeOf(run: () => unknown): Promise<string> {
  const [started, before] = [process.cpuUsage(), process.memoryUsage.rss()];
  let outcome = 'done';
  try {
    await run();
  } catch (error) {
    if (!(error instanceof QuernError)) throw error;
    outcome = error.code;
  }
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(patienceMs);
  expect(process.memoryUsage.rss() - before).toBeLessThan(maxGrowth);
  return outcome;
}

const alphabet = Array.from({ length: 256 }, (_, byte) =>
  String.fromCharCode(byte > 32 && byte < 127 ? byte : 256 + byte),
);
const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
const bytes = Object.fromEntries(alphabet.map((character, id) => [character, id]));
const tokenizer = (parts: Json = {}, model: Json = {}): Json => ({
  pre_tokenizer: byteLevel,
  added_tokens: [],
  model: { type: 'BPE', vocab: { ...bytes, he: 256 }, merges: [['h', 'e']], ...model },
  ...parts,
});
const viewOf = (json: Json | string, vocabSize?: number) => {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  const readText = async (name: string) => (name === 'tokenizer.json' ? text : undefined);
  return tokenizerViewFromHf({ readText, readBytes: async () => undefined }, { vocabSize });
};
const special = (id: unknown, content: string) => ({ id, content, special: true });

describe('ids and merges', () => {
  const cases: [what: string, tokenizer: Json, code: string][] = [
    ['an id that is none', tokenizer({}, { vocab: { ...bytes, he: 1e300 } }), 'tokenizer-json-malformed'],
    ['a negative id', tokenizer({}, { vocab: { ...bytes, he: -1 } }), 'tokenizer-json-malformed'],
    ['an id beyond all', tokenizer({}, { vocab: { ...bytes, he: 5e8 } }), 'tokenizer-vocab-too-large'],
    ['an id twice', tokenizer({}, { vocab: { ...bytes, he: 7 } }), 'tokenizer-vocab-duplicate'],
    ['an added id that is none', tokenizer({ added_tokens: [special(1.5, '<x>')] }), 'tokenizer-json-malformed'],
    ['an added id beyond all', tokenizer({ added_tokens: [special(1e9, '<x>')] }), 'tokenizer-vocab-too-large'],
    [
      'an added id twice',
      tokenizer({ added_tokens: [special(300, '<x>'), special(300, '<y>')] }),
      'tokenizer-vocab-duplicate',
    ],
    ['an added text with two ids', tokenizer({ added_tokens: [special(300, '<x>'), special(301, '<x>')] }), 'done'],
    ['a merge of unknown pieces', tokenizer({}, { merges: [['h', 'x']] }), 'tokenizer-merge-unknown'],
    ['a merge of nothing', tokenizer({}, { merges: [['h', '']] }), 'tokenizer-json-malformed'],
    [
      'a merge with itself in a circle',
      tokenizer(
        {},
        {
          merges: [
            ['h', 'e'],
            ['he', 'he'],
          ],
        },
      ),
      'tokenizer-merge-unknown',
    ],
  ];
  it.each(cases)('%s', async (_what, json, code) => {
    expect(await outcomeOf(() => viewOf(json))).toBe(code);
  });

  it('a million tokens with a million merges are read in bounded time and memory', async () => {
    const vocab: Json = { ...bytes };
    const merges: [string, string][] = [];
    const pairs = alphabet.flatMap((left) => alphabet.map((right): [string, string] => [left, right]));
    const triples = pairs.flatMap(([a, b]) => alphabet.slice(0, 15).map((c): [string, string] => [a + b, c]));
    for (const pair of [...pairs, ...triples].slice(0, 1_000_000)) {
      vocab[pair.join('')] = Object.keys(bytes).length + merges.push(pair) - 1;
    }
    const text = JSON.stringify(tokenizer({}, { vocab, merges }));
    const outcome = await outcomeOf(async () => {
      const made = tokenizerFromGguf(await viewOf(text));
      expect(made.decode(made.encode('hello hello'))).toBe('hello hello');
    });
    expect(outcome).toBe('done');
  });
});

describe('steps in steps', () => {
  const nested = (list: string, inner: Json) =>
    `${`{"type":"Sequence","${list}":[`.repeat(20_000)}${JSON.stringify(inner)}${']}'.repeat(20_000)}`;
  it.each([
    ['normalizer', nested('normalizers', { type: 'NFC' })],
    ['pre_tokenizer', nested('pretokenizers', byteLevel)],
    ['post_processor', nested('processors', byteLevel)],
  ])('%s', async (part, json) => {
    const text = JSON.stringify(tokenizer({ [part]: '@@' })).replace('"@@"', json);
    expect(await outcomeOf(() => viewOf(text))).toBe('tokenizer-json-malformed');
  });

  it('in a GGUF file, under keys that are none of its', async () => {
    const view = ggufTokenizerMetadata(await viewOf(tokenizer()));
    for (const key of ['quern.tokenizer.normalizer', 'quern.tokenizer.pre_tokenizer']) {
      for (const value of [nested('normalizers', { type: 'NFC' }), '{', '7'])
        expect(await outcomeOf(() => tokenizerFromGguf(new Map(view).set(key, { type: 'string', value })))).toBe(
          'tokenizer-json-malformed',
        );
    }
  });
});

describe('expressions', () => {
  it.each([
    ['(a+)+$', `${'a'.repeat(40)}b`, 'pre-tokenizer-too-slow'],
    ['(a|a)*b', 'a'.repeat(60), 'pre-tokenizer-too-slow'],
    ['(?=(a+)+b)', 'a'.repeat(60), 'pre-tokenizer-too-slow'],
    ['\\p{L}*\\p{L}*\\p{L}*\\p{L}*b', 'a'.repeat(5000), 'pre-tokenizer-too-slow'],
    ['((a{0,5000}){0,5000}){0,5000}b', 'a', 'pre-tokenizer-unsupported'],
    ['a{1,9999}{1,9999}', 'a', 'pre-tokenizer-unsupported'],
    ['('.repeat(60_000), 'a', 'pre-tokenizer-unsupported'],
    ['ab'.repeat(30_000), 'ab'.repeat(100), 'done'],
  ])('%#', async (regex, text, code) => {
    const split = { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false };
    const cut = { type: 'Sequence', pretokenizers: [split, { ...byteLevel, use_regex: false }] };
    const asPreTokenizer = async () => tokenizerFromGguf(await viewOf(tokenizer({ pre_tokenizer: cut }))).encode(text);
    expect(await outcomeOf(asPreTokenizer)).toBe(code);
    const replace = { type: 'Replace', pattern: { Regex: regex }, content: '' };
    const asNormalizer = async () => tokenizerFromGguf(await viewOf(tokenizer({ normalizer: replace }))).encode(text);
    expect(await outcomeOf(asNormalizer)).toBe(code);
  });

  it.each([
    [
      'doubled forty times',
      Array.from({ length: 40 }, () => ({ type: 'Replace', pattern: { String: 'a' }, content: 'aa' })),
    ],
    ['by a long text for each letter', [{ type: 'Replace', pattern: { String: 'a' }, content: 'x'.repeat(1e6) }]],
    ['with long texts before it', [{ type: 'Prepend', prepend: 'x'.repeat(1e6) }]],
  ])('a normalizer that grows a text %s', async (_what, normalizers) => {
    const json = tokenizer({ normalizer: { type: 'Sequence', normalizers } });
    const run = async () => tokenizerFromGguf(await viewOf(json)).encode('a'.repeat(1000));
    expect(await outcomeOf(run)).toBe('normalizer-runaway');
  });
});

describe('templates', () => {
  const loop = (body: string) => `{% for i in range(100000) %}${body}{% endfor %}`;
  const growing = (body: string) =>
    `{% set ns = namespace(s="aa", l=[1]) %}{% for i in range(60) %}${body}{% endfor %}`;
  const bombs: [what: string, template: string][] = [
    ['texts replaced by longer ones', growing('{% set ns.s = ns.s | replace("a", "aa") %}')],
    ['lists added to themselves', growing('{% set ns.l = ns.l + ns.l %}')],
    ['long lists cut in a loop', loop('{{ range(100000)[::1] | length }}')],
    ['long lists sorted in a loop', loop('{{ range(100000) | sort | length }}')],
    ['long lists searched in a loop', loop('{{ 5 in range(100000) }}')],
    ['many brackets', `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`],
    ['many branches', '{% if true %}'.repeat(20_000) + '{% endif %}'.repeat(20_000)],
    ['a long sum', `{{ ${'1+'.repeat(100_000)}1 }}`],
    ['many filters', `{{ "a"${'|upper'.repeat(50_000)} }}`],
    ['a value in itself', '{% set l = [] %}{% set _ = l.append(l) %}{{ l }}'],
    ['a wide indentation', '{{ messages | tojson(indent=1000000000) }}'],
  ];
  it.each(bombs)('%s', async (_what, template) => {
    const messages = [{ role: 'user', content: 'hello' }];
    expect(await outcomeOf(() => renderChat({ template, messages }))).toMatch(/^chat-template-/);
  });

  it('a conversation of thousands of messages is none', () => {
    const messages = Array.from({ length: 3000 }, (_, i) => ({
      role: i % 2 ? 'assistant' : 'user',
      content: 'x'.repeat(300),
    }));
    const template =
      '{% for m in messages %}{% if loop.index0 > 0 and messages[loop.index0 - 1].role == m.role %}!{% endif %}' +
      '<{{ m.role }}>{{ m.content | trim }}{% if m == messages[-1] %}$' +
      '{% endif %}{% endfor %}';
    expect(renderChat({ template, messages })).toMatch(/^<user>x+<assistant>.*x\$$/s);
  });
});
