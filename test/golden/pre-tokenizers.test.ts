// Every pre-tokenizer of the table against native llama.cpp: tiny-llama's vocabulary under each name, random texts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GgufMetadata, GgufWriter, openGguf } from '@quern/gguf';
import { openNativeModel, oracleUnavailable } from '@quern/test-oracle';
import { preTokenizerNames, tokenizerFromGguf } from '@quern/tokenizer';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const model = join(import.meta.dirname, '../models/tiny-llama/expected/llama.cpp-bf16.gguf');

// Where llama.cpp approximates the model's own expression, ours is the model's (packages/tokenizer/README.md); these
// characters are where the two differ.
const cased = 'éÉßжЖǅʰª\u0301';
const foreignSpaces = '\u00a0\u0085\u3000\u2028';
const approximated: Record<string, string> = {
  'gpt-4o': cased,
  llama4: cased,
  kanana2: cased,
  talkie: cased,
  'minimax-m2': cased,
  tekken: cased,
  'deepseek-llm': foreignSpaces,
  'deepseek-coder': foreignSpaces,
};

// Digits by three from the right: llama.cpp also of numbers that are no digits, and before letters and underscores.
for (const name of ['tiny_aya', 'cohere2moe']) approximated[name] = `${cased}aBZ_中한あⅧ's'LLtheing ofcamelCase`;
// A digit of any script is one to the model's expression, only ASCII's to llama.cpp.
approximated.superbpe = '२';
approximated.youtu = cased;
approximated['granite-embed-multi-97m'] = cased;
approximated['kimi-k2'] = cased;

/** They merge the text itself: with the bytes of another vocabulary they have nothing to merge. */
const ofText = ['gemma4', 'granite-embed-multi-311m', 'sarvam-moe'];

/** Newer than the llama.cpp of node-llama-cpp; in the table each shares the line of a name that is tried here. */
const unknownToNative = ['glm5'];

const parts = [
  ...Array.from(`aBZ中한あ123२Ⅷ \n\r\t.!$+_-/\\"#\`'🙂।。\u200d\u200b${cased}${foreignSpaces}`),
  ...['  ', "'s", "'LL", '345', 'the', 'ing', ' of', 'camelCase'],
];

describe.skipIf(oracleUnavailable)('pre-tokenizers and native llama.cpp', () => {
  let folder: string;
  let metadata: GgufMetadata;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quern-pre-'));
    const gguf = await openGguf(model);
    metadata = gguf.metadata;
    await gguf.close();
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(preTokenizerNames.filter((name) => ![...ofText, ...unknownToNative].includes(name)))('%s', async (name) => {
    const renamed: GgufMetadata = new Map(metadata);
    renamed.set('tokenizer.ggml.pre', { type: 'string', value: name });
    const path = join(folder, `${name}.gguf`);
    await (await GgufWriter.create(path, { metadata: renamed, tensors: [] })).finish();
    const tokenizer = tokenizerFromGguf(renamed);
    const native = openNativeModel(path, { vocabOnly: true });
    const part = fc.constantFrom(...parts.filter((each) => !approximated[name]?.includes(each)));
    const texts = fc.array(part, { maxLength: 15 }).map((chosen) => chosen.join(''));
    try {
      fc.assert(
        fc.property(texts, (text) => {
          expect([...tokenizer.encode(text)]).toEqual(native.tokenize(text));
        }),
        { numRuns: 400 },
      );
    } finally {
      native.close();
    }
  });
});
