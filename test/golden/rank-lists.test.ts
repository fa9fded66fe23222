// Vocabularies that are rank lists: tekken.json and lists for tiktoken (test/golden/data/rank-lists/README.md).
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ggufTokenizerMetadata, tokenizerFromGguf, tokenizerViewFromHf } from '@quern/tokenizer';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`data/rank-lists/${name}`, import.meta.url), 'utf8');
type Json = Record<string, unknown>;
interface List {
  count: number;
  sha256: string;
}
interface Case {
  config: Json & { vocab_size: number };
  tokenizer_config: Json;
  gguf: { token_list: List; token_types: List; token_merges: List; token_scores?: List; tokenizer_pre: string } & Json;
  ids: number[][];
}
const { texts, cases } = JSON.parse(read('expected.json')) as { texts: string[]; cases: Record<string, Case> };

const tekken = JSON.parse(read('tekken.json')) as Json & { config: Json; vocab: (Json & { token_bytes: string })[] };
const { special_tokens: _, ...withoutSpecials } = tekken;
const older = { ...withoutSpecials, config: { ...tekken.config, version: 'v3' } };
const list = tekken.vocab.map(({ token_bytes: bytes }, rank) => `${bytes} ${rank}\n`).join('');

const filesOf = (stored: Record<string, string>) => ({
  readText: async (name: string) => stored[name],
  readBytes: async (name: string) => (stored[name] === undefined ? undefined : new TextEncoder().encode(stored[name])),
  fileNames: async () => Object.keys(stored),
});
const ranked = (name: string, file: string): Record<string, string> => ({
  [file]: list,
  'config.json': JSON.stringify(cases[name]!.config),
  'tokenizer_config.json': JSON.stringify(cases[name]!.tokenizer_config),
});

const folders: [name: string, folder: Record<string, string>, vocabSize: number][] = [
  ['tekken', { 'tekken.json': JSON.stringify(tekken) }, 710],
  ['tekken-v3', { 'tekken.json': JSON.stringify(older) }, 710],
  ['kimi', ranked('kimi', 'tiktoken.model'), 964],
  ['kimi', ranked('kimi', 'tokenizer.model'), 964],
  ['hunyuan', ranked('hunyuan', 'hy.tiktoken'), 910],
];

const sha256 = (rows: readonly unknown[]) => createHash('sha256').update(rows.join('\n')).digest('hex');

describe.each(folders)('%s', (name, folder, vocabSize) => {
  const { gguf, ids } = cases[name]!;
  const viewOf = () => tokenizerViewFromHf(filesOf(folder), { vocabSize, architecture: 'none' });

  it('gives the ids of the library', async () => {
    const tokenizer = tokenizerFromGguf(await viewOf());
    expect(texts.map((text) => [...tokenizer.encode(text)])).toEqual(ids);
    const first = cases.tekken!.ids[0]!;
    if (name === 'tekken') expect([...tokenizer.encode(texts[0]!, { addSpecial: true })]).toEqual([1, ...first]);
  });

  it("writes what llama.cpp's converter writes", async () => {
    const metadata = ggufTokenizerMetadata(await viewOf());
    const value = (key: string) => metadata.get(`tokenizer.ggml.${key}`)?.value;
    const lists = { tokens: gguf.token_list, token_type: gguf.token_types, merges: gguf.token_merges };
    for (const [key, expected] of Object.entries({ ...lists, scores: gguf.token_scores })) {
      const rows = value(key) as unknown[] | undefined;
      expect([key, rows?.length, rows && sha256(rows)]).toEqual([key, expected?.count, expected?.sha256]);
    }
    for (const role of ['bos', 'eos', 'unk', 'pad']) {
      const key = role === 'unk' ? 'unknown' : role === 'pad' ? 'padding' : role;
      // The converter has the id that <|bos|> has in Hunyuan's whole list.
      const expected = name === 'hunyuan' && role === 'bos' ? 702 : gguf[`${role}_token_id`];
      expect([role, value(`${key}_token_id`)]).toEqual([role, expected]);
    }
    for (const flag of ['add_bos_token', 'add_eos_token']) expect(value(flag)).toBe(gguf[flag]);
    expect(value('model')).toBe('gpt2');
    // `hunyuan` cuts as `qwen2` does; the record of the architecture knows the other name.
    expect(value('pre')).toBe(name === 'hunyuan' ? 'qwen2' : gguf.tokenizer_pre);
  });
});

it("QWenTokenizer's special tokens follow the list", async () => {
  const stored = { 'qwen.tiktoken': list, 'tokenizer_config.json': '{"tokenizer_class": "QWenTokenizer"}' };
  const tokenizer = tokenizerFromGguf(await tokenizerViewFromHf(filesOf(stored), {}));
  expect(texts.map((text) => [...tokenizer.encode(text)])).toEqual(cases.hunyuan!.ids);
  expect([...tokenizer.encode('<|im_start|><|extra_204|>', { parseSpecial: true })]).toEqual([701, 907]);
});

describe('a list whose class nobody knows', () => {
  const stored = { 'own.tiktoken': list, 'tokenizer_config.json': '{"tokenizer_class": "OwnTokenizer"}' };

  it('is refused by the name of the class', async () => {
    await expect(tokenizerViewFromHf(filesOf(stored), {})).rejects.toMatchObject({
      code: 'tokenizer-class-unknown',
      message: expect.stringContaining('OwnTokenizer'),
      remedy: expect.stringContaining('--pre'),
    });
  });

  it('is read where a person says how text is cut', async () => {
    const metadata = await tokenizerViewFromHf(filesOf(stored), { preTokenizer: 'qwen2' });
    expect(metadata.get('tokenizer.ggml.pre')?.value).toBe('qwen2');
    expect([...tokenizerFromGguf(metadata).encode(texts[4]!)]).toEqual(cases.hunyuan!.ids[4]);
  });

  it('is told apart from a second list', async () => {
    await expect(tokenizerViewFromHf(filesOf({ ...stored, 'b.tiktoken': list }), {})).rejects.toMatchObject({
      code: 'tokenizer-ambiguous',
    });
  });
});

describe('broken lists', () => {
  const kimi = (text: string) => filesOf({ ...ranked('kimi', 'tiktoken.model'), 'tiktoken.model': text });
  const inTekken = (change: (file: typeof tekken) => void) => {
    const file = structuredClone(tekken);
    change(file);
    return filesOf({ 'tekken.json': JSON.stringify(file) });
  };
  const long = btoa('a'.repeat(30_000));
  const faults: [what: string, files: ReturnType<typeof filesOf>, code: string][] = [
    ['a rank twice', kimi(`${list}enp6 3\n`), 'tokenizer-vocab-duplicate'],
    ['bytes twice', kimi(`${list}AA== 900\n`), 'tokenizer-vocab-duplicate'],
    ['a rank beyond all', kimi(`${list}enp6 99999999\n`), 'tokenizer-vocab-too-large'],
    ['no number', kimi(`${list}enp6 x\n`), 'tokenizer-json-malformed'],
    ['no base64', kimi(`${list}e 900\n`), 'tokenizer-json-malformed'],
    ['no tokens', kimi(''), 'tokenizer-json-malformed'],
    [
      'tokens too long to take apart',
      kimi(`${list}${long} 900\n${long.replace('YW', 'Yg')} 901\n`),
      'tokenizer-ranks-too-long',
    ],
    [
      'more special tokens than room',
      inTekken((file) => void (file.config.default_num_special_tokens = 5)),
      'tokenizer-json-malformed',
    ],
    [
      'fewer tokens than promised',
      inTekken((file) => void (file.config.default_vocab_size = 10_000)),
      'tokenizer-json-malformed',
    ],
    [
      'a token that no two make',
      inTekken((file) => void (file.vocab[300]!.token_bytes = btoa('\u0001\u0002\u0003'))),
      'tokenizer-merge-unknown',
    ],
    ['a rank out of order', inTekken((file) => void (file.vocab[300]!.rank = 301)), 'tokenizer-json-malformed'],
  ];
  it.each(faults)('%s', async (_what, files, code) => {
    await expect(tokenizerViewFromHf(files, {})).rejects.toMatchObject({ code });
  });
});
