// Tokenizers against the world: llama.cpp's published vectors, transformers' ids of tiny-llama, llama.cpp's converter, and
// native llama.cpp on random texts.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openHfCheckpoint } from '@quern/checkpoint';
import { openGguf } from '@quern/gguf';
import { openNativeModel, oracleUnavailable } from '@quern/test-oracle';
import { TextStream, type Tokenizer, tokenizerFromGguf, tokenizerMetadataFromHf } from '@quern/tokenizer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const models = join(root, 'test/models');
const tiny = join(models, 'tiny-llama');
const vocabularies = join(process.env.QUERN_DATA ?? join(root, '../shared/data'), 'vocab');
const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));

const absent = !existsSync(vocabularies);
if (absent) console.warn(`Skipped: vocabularies of other models are not at ${vocabularies} (set QUERN_DATA).`);

async function metadataOf(path: string) {
  const gguf = await openGguf(path);
  await gguf.close();
  return gguf.metadata;
}

const tokenizerOf = async (path: string): Promise<Tokenizer> => tokenizerFromGguf(await metadataOf(path));
const vocabularyFile = (name: string) => join(vocabularies, `ggml-vocab-${name}.gguf`);

describe.skipIf(absent).each(['falcon', 'gpt-2', 'llama-bpe', 'llama-spm', 'phi-3', 'starcoder'])('%s', (name) => {
  it("encodes llama.cpp's test texts to its ids", async () => {
    const tokenizer = await tokenizerOf(vocabularyFile(name));
    const inputs = readFileSync(`${vocabularyFile(name)}.inp`, 'utf8').split('\n__ggml_vocab_test__\n');
    const outputs = readFileSync(`${vocabularyFile(name)}.out`, 'utf8').split('\n');
    expect(inputs.length).toBeGreaterThan(40);
    for (const [index, input] of inputs.entries()) {
      expect([...tokenizer.encode(input)].join(' '), JSON.stringify(input)).toBe(outputs[index]?.trim());
    }
  });

  it('encodes a megabyte and decodes it to the same text', async () => {
    const tokenizer = await tokenizerOf(vocabularyFile(name));
    const text = readFileSync(join(models, 'text/tinyshakespeare.txt'), 'utf8');
    const started = process.cpuUsage();
    const ids = tokenizer.encode(text, { parseSpecial: true });
    // Some 0.2 s of one core of 2020: processor time, which does not grow with what else the machine does.
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000);
    expect(tokenizer.decode(ids, { stripSpacePrefix: true })).toBe(text);
  });
});

describe('tiny-llama', () => {
  it("encodes to transformers' ids", async () => {
    const tokenizer = await tokenizerOf(join(tiny, 'expected/llama.cpp-bf16.gguf'));
    for (const { text, ids, ids_with_special } of readJson(join(tiny, 'expected/tokens.json'))) {
      expect([...tokenizer.encode(text, { parseSpecial: true })], text).toEqual(ids);
      expect([...tokenizer.encode(text, { parseSpecial: true, addSpecial: true })], text).toEqual(ids_with_special);
    }
    for (const { rendered, ids, greedy_ids, greedy_text } of readJson(join(tiny, 'expected/chat.json')).chat_template) {
      expect([...tokenizer.encode(rendered, { parseSpecial: true })]).toEqual(ids);
      expect(tokenizer.decode(greedy_ids, { special: true })).toBe(greedy_text);
    }
  });

  it('streams what it decodes, and decodes what it encodes', async () => {
    const tokenizer = await tokenizerOf(join(tiny, 'expected/llama.cpp-bf16.gguf'));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        const stream = new TextStream(tokenizer);
        expect(Array.from(ids, (id) => stream.push(id)).join('') + stream.flush()).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it('ends a turn at the tokens that do', async () => {
    const tokenizer = await tokenizerOf(join(tiny, 'expected/llama.cpp-bf16.gguf'));
    expect([...tokenizer.endOfGeneration].map((id) => tokenizer.piece(id)).sort()).toEqual([
      '<|end_of_text|>',
      '<|im_end|>',
    ]);
  });
});

describe("metadata equals llama.cpp's converter's, key for key", () => {
  it.each([
    ['arch/llama-spm', 'llama.cpp-bf16.gguf'],
    ['arch/llama3', 'llama.cpp-bf16.gguf'],
    ['arch/mistral', 'llama.cpp-bf16.gguf'],
    ['arch/qwen2', 'llama.cpp-bf16.gguf'],
    ['arch/qwen3', 'llama.cpp-bf16.gguf'],
    ['tiny-llama', 'expected/llama.cpp-bf16.gguf'],
  ])('%s', async (folder, golden) => {
    const written = await metadataOf(join(models, folder, golden));
    const checkpoint = await openHfCheckpoint(join(models, folder));
    const metadata = await tokenizerMetadataFromHf(checkpoint, {
      vocabSize: checkpoint.config.vocab_size as number,
      architecture: written.get('general.architecture')?.value as string,
    });
    await checkpoint.close();
    expect([...metadata]).toEqual([...written].filter(([key]) => key.startsWith('tokenizer.')));
  });
});

describe
  .skipIf(oracleUnavailable)
  .each([
    ['tiny-llama', join(tiny, 'expected/llama.cpp-bf16.gguf')],
    ['arch/llama-spm', join(models, 'arch/llama-spm/llama.cpp-bf16.gguf')],
    ['arch/qwen2', join(models, 'arch/qwen2/llama.cpp-bf16.gguf')],
    ...(absent
      ? []
      : ['falcon', 'llama-bpe', 'llama-spm', 'phi-3', 'starcoder'].map((name) => [name, vocabularyFile(name)])),
  ])('%s and native llama.cpp', (_, path) => {
  it('agree on random texts, special tokens in them or not', async () => {
    const tokenizer = await tokenizerOf(path as string);
    const native = openNativeModel(path as string, { vocabOnly: true });
    const part = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      // No control characters: Falcon's vocabulary lacks some, where llama.cpp leaves them out and we say so.
      fc.string({ unit: 'grapheme-ascii', maxLength: 4 }),
      fc.constantFrom(
        ' ',
        '  ',
        '\n',
        '\r\n',
        '\t',
        '\u00a0',
        '\u0085',
        '\u3000',
        '\u200b',
        '▁',
        "'s",
        "'LL",
        '123',
        ' the',
      ),
      fc.constantFrom(
        '<s>',
        '</s>',
        '<unk>',
        '<0x0A>',
        '<|im_start|>',
        '<|im_end|>',
        '<|user|>',
        '<|endoftext|>',
        '<|',
      ),
    );
    const texts = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    try {
      fc.assert(
        fc.property(texts, fc.boolean(), fc.boolean(), (text, parseSpecial, addSpecial) => {
          const options = { parseSpecial, addSpecial };
          expect([...tokenizer.encode(text, options)]).toEqual(native.tokenize(text, options));
        }),
        { numRuns: 1000 },
      );
    } finally {
      native.close();
    }
  });
});
