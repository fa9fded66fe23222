// Exported files are read back by the way there (../huggingface), which is held to llama.cpp's converter; what is encoded
// with them is compared with the ids of the GGUF file. What transformers makes of them: test/golden/data/to-huggingface.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openGguf } from '@quern/gguf';
import { describe, expect, test } from 'vitest';
import { tokenizerFromGguf } from '../from-gguf.ts';
import type { CheckpointFiles } from '../huggingface/checkpoint-files.ts';
import { tokenizerMetadataFromHf } from '../huggingface/metadata-from-hf.ts';
import type { MetadataView } from '../metadata-view.ts';
import { tokenizerFilesOf } from './tokenizer-files.ts';

const models = fileURLToPath(new URL('../../../../test/models/', import.meta.url));
const vocabularies = `${process.env.QUERN_DATA ?? fileURLToPath(new URL('../../../../../shared/data', import.meta.url))}/vocab`;

async function metadataOf(path: string): Promise<Map<string, { type: string; value: unknown }>> {
  const model = await openGguf(path);
  await model.close();
  return new Map(model.metadata);
}

const filesOf = (files: ReadonlyMap<string, string | Uint8Array>): CheckpointFiles => {
  const readBytes = async (name: string) => {
    const content = files.get(name);
    return typeof content === 'string' ? new TextEncoder().encode(content) : content;
  };
  return { readBytes, readText: async (name) => new TextDecoder().decode(await readBytes(name)) || undefined };
};

function readBack(metadata: MetadataView, without: readonly string[] = []) {
  const files = new Map([...tokenizerFilesOf(metadata)].filter(([name]) => !without.includes(name)));
  const vocabSize = (metadata.get('tokenizer.ggml.tokens')!.value as unknown[]).length;
  return tokenizerMetadataFromHf(filesOf(files), { vocabSize });
}

const texts = [
  'First Citizen:\nBefore we proceed any further, hear me speak.',
  "  two  spaces\tand\n\n\nlines; don't, I'M, we'LL ",
  'naïve café 東京 🙂🙂 ﷽ 12345 6.78e-9',
  ...[3, 5, 17, 18, 19, 31, 33, 47].map((count) => `x${' '.repeat(count)}y`),
];

const expectSameIds = (before: MetadataView, after: MetadataView): void => {
  const [one, other] = [tokenizerFromGguf(before), tokenizerFromGguf(after)];
  for (const text of texts) {
    const options = { addSpecial: true, parseSpecial: true };
    expect([...other.encode(text, options)], text).toEqual([...one.encode(text, options)]);
  }
};

const own = ['arch/llama-spm', 'arch/llama3', 'arch/qwen2'].map((name) => `${models}${name}/llama.cpp-bf16.gguf`);
own.push(`${models}tiny-llama/expected/llama.cpp-bf16.gguf`);

test.each(own)('%s comes back key by key', async (path) => {
  const metadata = await metadataOf(path);
  const back = await readBack(metadata);
  for (const [key, value] of metadata) {
    if (key.startsWith('tokenizer.')) expect(back.get(key), key).toEqual(value);
  }
  for (const key of back.keys()) expect(metadata.has(key), key).toBe(true);
});

test('tokenizer.json says what tokenizer.model says', async () => {
  const metadata = await metadataOf(own[0]!);
  expectSameIds(metadata, await readBack(metadata, ['tokenizer.model']));
});

const found = existsSync(vocabularies);
if (!found) console.warn(`Skipping published vocabularies: there is no ${vocabularies} (QUERN_DATA)`);
describe.skipIf(!found)('a published vocabulary', () => {
  test.each(['gpt-2', 'llama-bpe', 'starcoder', 'falcon'])('%s: tokens, types and merges come back', async (name) => {
    const metadata = await metadataOf(`${vocabularies}/ggml-vocab-${name}.gguf`);
    const back = await readBack(metadata);
    // Several names stand for the patterns of `pre`; the first of them comes back.
    for (const key of ['tokens', 'token_type', 'merges'].map((name) => `tokenizer.ggml.${name}`)) {
      expect(back.get(key), key).toEqual(metadata.get(key));
    }
    expectSameIds(metadata, back);
  });

  // Their runs of spaces have one score: the file without tokenizer.model goes by the list of merges alone.
  test.each(['llama-spm', 'phi-3'])('%s: both files give the same ids', async (name) => {
    const metadata = await metadataOf(`${vocabularies}/ggml-vocab-${name}.gguf`);
    expectSameIds(metadata, await readBack(metadata));
    expectSameIds(metadata, await readBack(metadata, ['tokenizer.model']));
  });
});

describe('refused by name', () => {
  const changed = async (path: string, key: string, change: (value: never) => unknown) => {
    const metadata = await metadataOf(path);
    const { type, value } = metadata.get(key)!;
    return new Map([...metadata, [key, { type, value: change(value as never) }]]);
  };
  const refusal = (metadata: MetadataView) => {
    try {
      tokenizerFilesOf(metadata);
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test('an unknown pre-tokenizer, an unknown kind', async () => {
    expect(refusal(await changed(own[1]!, 'tokenizer.ggml.pre', () => 'mine'))).toMatchObject({
      code: 'pre-tokenizer-unknown',
    });
    expect(refusal(await changed(own[1]!, 'tokenizer.ggml.model', () => 'rwkv'))).toMatchObject({
      code: 'tokenizer-model-unknown',
    });
  });

  test('a merge whose token is not there', async () => {
    const metadata = await changed(own[1]!, 'tokenizer.ggml.merges', (value: string[]) => ['q q', ...value]);
    expect(refusal(metadata)).toMatchObject({
      code: 'tokenizer-not-expressible',
      message: expect.stringMatching(/"qq"/),
    });
  });

  test('scores that leave the order of merges open', async () => {
    const metadata = await changed(own[0]!, 'tokenizer.ggml.scores', (value: number[]) => value.map(() => -1000));
    expect(refusal(metadata)).toMatchObject({
      code: 'tokenizer-not-expressible',
      message: expect.stringContaining('the same score, -1000'),
    });
  });
});

test('several chat templates become a list, one a file', async () => {
  const metadata = await metadataOf(own[3]!);
  expect(tokenizerFilesOf(metadata).get('chat_template.jinja')).toBe(metadata.get('tokenizer.chat_template')?.value);
  metadata.set('tokenizer.chat_templates', { type: 'array', value: ['tool_use'] });
  metadata.set('tokenizer.chat_template.tool_use', { type: 'string', value: '{{ tools }}' });
  const back = await readBack(metadata);
  for (const key of ['chat_template', 'chat_templates', 'chat_template.tool_use'].map((key) => `tokenizer.${key}`)) {
    expect(back.get(key)?.value, key).toEqual(metadata.get(key)?.value);
  }
  expect(tokenizerFilesOf(metadata).has('chat_template.jinja')).toBe(false);
});
