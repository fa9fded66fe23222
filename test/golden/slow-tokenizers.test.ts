// vocab.json and merges.txt as transformers' classes read them (test/golden/data/slow-tokenizers/README.md).
import { readFileSync } from 'node:fs';
import { tokenizerFromGguf, tokenizerMetadataFromHf } from '@quern/tokenizer';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`data/slow-tokenizers/${name}`, import.meta.url), 'utf8');
interface Case {
  name: string;
  config: Record<string, unknown>;
  special: number[];
  plain: number[][];
  whole: number[][];
}
const { texts, cases } = JSON.parse(read('expected.json')) as { texts: string[]; cases: Case[] };
const stored = ['vocab.json', 'merges.txt', 'added_tokens.json'];

const metadataOf = (texts: Record<string, string | undefined>) =>
  tokenizerMetadataFromHf(
    { readText: async (name) => texts[name], readBytes: async () => undefined, chatTemplates: async () => [] },
    { vocabSize: 512, architecture: 'qwen2' },
  );
const folder = (config: object, model: object = {}) => ({
  ...Object.fromEntries(stored.map((name) => [name, read(name)])),
  'tokenizer_config.json': JSON.stringify(config),
  'config.json': JSON.stringify(model),
});

describe.each(cases)('$name', ({ config, special, plain, whole }) => {
  it('gives the ids of transformers', async () => {
    const metadata = await metadataOf(folder(config));
    const tokenizer = tokenizerFromGguf(metadata);
    expect(texts.map((text) => [...tokenizer.encode(text, { parseSpecial: true })])).toEqual(plain);
    expect(texts.map((text) => [...tokenizer.encode(text, { parseSpecial: true, addSpecial: true })])).toEqual(whole);
    const types = metadata.get('tokenizer.ggml.token_type')?.value as number[];
    for (const id of special) expect(types[id]).toBe(3);
  });
});

describe('the kind of model says it where the class does not', () => {
  it.each([{}, { tokenizer_class: 'PreTrainedTokenizerFast' }])('%j', async (config) => {
    const pre = async (model: object) => (await metadataOf(folder(config, model))).get('tokenizer.ggml.pre')?.value;
    expect(await pre({ model_type: 'qwen3' })).toBe('qwen2');
    expect(await pre({ model_type: 'gpt2' })).toBe('gpt-2');
    await expect(pre({ model_type: 'llama' })).rejects.toMatchObject({ code: 'tokenizer-class-unknown' });
  });

  it('Llama 3 is known by its first token, SentencePiece by its bytes', async () => {
    const first = '<|begin_of_text|>';
    const added = { 'added_tokens.json': JSON.stringify({ [first]: 510 }) };
    const config = { tokenizer_class: 'PreTrainedTokenizerFast', bos_token: first };
    const llama3 = await metadataOf({ ...folder(config), ...added });
    expect(llama3.get('tokenizer.ggml.pre')?.value).toBe('llama-bpe');
    expect([...tokenizerFromGguf(llama3).encode('1234', { addSpecial: true })][0]).toBe(510);

    const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
    const pieces = ['<unk>', '<s>', '</s>', ...bytes, '▁', 'h', 'e', 'he', '▁he'];
    const llama = await metadataOf({
      'vocab.json': JSON.stringify(Object.fromEntries(pieces.map((text, id) => [text, id]))),
      'merges.txt': '#version: 0.2\nh e\n▁ he\n',
      'tokenizer_config.json': JSON.stringify({
        tokenizer_class: 'LlamaTokenizer',
        bos_token: '<s>',
        eos_token: '</s>',
      }),
      'config.json': JSON.stringify({ bos_token_id: 1, eos_token_id: 2 }),
    });
    expect(llama.get('tokenizer.ggml.model')?.value).toBe('llama');
    // <s> ▁he <0x21>: what transformers' LlamaTokenizer gives for these files.
    expect([...tokenizerFromGguf(llama).encode('he!', { addSpecial: true })]).toEqual([
      1,
      pieces.indexOf('▁he'),
      3 + 0x21,
    ]);
  });
});

it.each(['vocab.json', 'merges.txt'])('without %s is refused by name', async (name) => {
  const error = await metadataOf({ ...folder({}), [name]: undefined }).catch((caught) => caught);
  expect(error).toMatchObject({ code: 'tokenizer-missing', message: expect.stringContaining(name) });
});

it('faults are told in the file where they are', async () => {
  const faults: [string, string, string][] = [
    ['vocab.json', '{"a": 0, "b": 0}', 'tokenizer-vocab-duplicate'],
    ['vocab.json', '{}', 'tokenizer-json-malformed'],
    ['merges.txt', 'a b c\n', 'tokenizer-json-malformed'],
    ['merges.txt', 'zzz q\n', 'tokenizer-merge-unknown'],
  ];
  for (const [file, text, code] of faults) {
    await expect(metadataOf({ ...folder({ tokenizer_class: 'Qwen2Tokenizer' }), [file]: text })).rejects.toMatchObject({
      code,
      file,
    });
  }
});
