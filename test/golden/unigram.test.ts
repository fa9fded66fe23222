// Unigram (XLM-RoBERTa): a checkpoint gives the ids of the tokenizers library (data/unigram), a GGUF made of it those of
// native llama.cpp, which maps characters otherwise; and it comes back as a tokenizer.json that the checkpoint's ids follow from.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TranscodePool } from '@quern/blocks';
import { openGgufModel } from '@quern/checkpoint';
import { planConversion, writeModel } from '@quern/kquant';
import { openModel } from '@quern/models';
import { type Tokenizer, tokenizerFilesOf, tokenizerFromGguf, tokenizerViewFromHf } from '@quern/tokenizer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNativeModel, oracleUnavailable } from '../oracle/src/index.ts';
import { scratchFolder } from './scratch-folder.ts';

const checkpoint = join(import.meta.dirname, '../models/arch/xlm-roberta');
const { texts } = JSON.parse(readFileSync(new URL('data/unigram/ids.json', import.meta.url), 'utf8')) as {
  texts: [text: string, ids: number[]][];
};
const encoded = (tokenizer: Tokenizer, text: string) => [
  ...tokenizer.encode(text, { addSpecial: true, parseSpecial: true }),
];
/** Files of a checkpoint in memory. */
const filesOf = (files: ReadonlyMap<string, string | Uint8Array>) => ({
  readText: async (name: string) => {
    const file = files.get(name);
    return typeof file === 'string' ? file : undefined;
  },
  readBytes: async (name: string) => {
    const file = files.get(name);
    return typeof file === 'string' || file === undefined ? undefined : file;
  },
});

let folder: string;
let gguf: string;
beforeAll(async () => {
  folder = scratchFolder('quern-unigram-');
  gguf = join(folder, 'model.gguf');
  const pool = await TranscodePool.create({ threads: 1 });
  const view = await openModel(checkpoint);
  await writeModel(view, planConversion(view, 'BF16'), gguf, { pool });
  await view.close();
  await pool.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a text gets the ids of the tokenizers library', () => {
  it('from tokenizer.json', async () => {
    const view = await openModel(checkpoint);
    const tokenizer = tokenizerFromGguf(view.metadata);
    expect(texts.map(([text]) => [text, encoded(tokenizer, text)])).toEqual(texts);
    await view.close();
  });

  it('from sentencepiece.bpe.model alone', async () => {
    const pieces = readFileSync(join(checkpoint, 'sentencepiece.bpe.model'));
    const files = new Map<string, string | Uint8Array>([
      ['sentencepiece.bpe.model', new Uint8Array(pieces)],
      ['config.json', JSON.stringify({ model_type: 'xlm-roberta' })],
    ]);
    const view = await tokenizerViewFromHf(filesOf(files), { vocabSize: 302, architecture: 'bert' });
    const tokenizer = tokenizerFromGguf(view);
    // transformers has other steps where it has that file only: they know spaces, and nothing that is like them.
    const same = texts.filter(([text]) => !/[^\S \t\n\r\u3000]|▁/.test(text));
    expect(same.map(([text]) => [text, encoded(tokenizer, text)])).toEqual(same);
  });

  it('from the files that a GGUF comes back as', async () => {
    const model = await openGgufModel(gguf);
    const view = await tokenizerViewFromHf(filesOf(tokenizerFilesOf(model.metadata)), { vocabSize: 302 });
    const tokenizer = tokenizerFromGguf(view);
    expect(texts.map(([text]) => [text, encoded(tokenizer, text)])).toEqual(texts);
    await model.close();
  });
});

describe.skipIf(oracleUnavailable)('a text gets the ids of native llama.cpp', () => {
  it('from a GGUF', async () => {
    const model = await openGgufModel(gguf);
    const tokenizer = tokenizerFromGguf(model.metadata);
    const native = openNativeModel(gguf, { vocabOnly: true });
    for (const [text] of texts)
      expect(encoded(tokenizer, text), text).toEqual(native.tokenize(text, { addSpecial: true, parseSpecial: true }));
    native.close();
    await model.close();
  });
});
