// The table of pre-tokenizers: the name in `tokenizer.ggml.pre` and how it cuts text into words. A new one is a row.
// Names and flags are llama.cpp's (src/llama-vocab.cpp `llama_vocab::impl::load`).

import * as families from './family-patterns.ts';
import * as patterns from './patterns.ts';

export interface Row {
  names: readonly string[];
  /** Applied one after the other, each to the pieces that the one before left. */
  patterns: readonly string[];
  /** The same in other words or steps, as tokenizer.json files have it. */
  alsoWritten?: readonly (readonly string[])[];
  ignoreMerges?: boolean;
  addBos?: boolean;
  /** The text itself is merged, not its bytes: spaces are written `▁`, and bytes without a token are `<0x0A>`. */
  isText?: boolean;
  /** Its expression is also another's, which conversion writes. */
  byNameOnly?: boolean;
}

/** Of several names with the same patterns and treatment of whole words, conversion writes the first. */
export const table: readonly Row[] = [
  {
    names: ['default'],
    patterns: ['[\\p{P}$+<=>^~|]+', patterns.gpt2, patterns.digits, patterns.threeAsciiDigits],
  },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2', 'jina-v5-nano'],
    patterns: [patterns.gpt4(patterns.upToThreeDigits)],
    ignoreMerges: true,
    addBos: true,
  },
  { names: ['dbrx', 'smaug-bpe', 'chatglm-bpe'], patterns: [patterns.gpt4(patterns.upToThreeDigits)] },
  { names: ['glm4', 'glm5'], patterns: [patterns.gpt4(patterns.upToThreeDigits)], ignoreMerges: true },
  {
    names: [
      ...['qwen2', 'stablelm2', 'hunyuan', 'solar-open', 'deepseek-r1-qwen', 'kormo', 'f2llmv2', 'megrez', 'grok-2'],
    ],
    patterns: [patterns.gpt4(patterns.digit)],
  },
  { names: ['qwen35'], patterns: [patterns.gpt4WithMarks] },
  { names: ['ufakzeka'], patterns: [patterns.gpt4(patterns.digit, '')] },
  {
    names: ['seed-coder'],
    patterns: [families.seedCoder],
    alsoWritten: [[families.seedCoderOneDigit]],
  },
  {
    names: ['bailingmoe', 'bailingmoe2', 'llada-moe'],
    patterns: [families.bailingMoe],
    alsoWritten: [[families.bailingMoePossessive]],
  },
  { names: ['exaone-moe'], patterns: [families.exaoneMoe] },
  { names: ['laguna'], patterns: [families.lines, patterns.gpt4(patterns.digit)] },
  { names: ['jais-2'], patterns: [families.jais2] },
  {
    names: ['minicpm5'],
    patterns: [patterns.upToThreeDigits, patterns.gpt4(patterns.digits)],
    ignoreMerges: true,
  },
  {
    names: [
      ...['gpt-2', 'phi-2', 'mpt', 'olmo', 'jais', 'trillion', 'granite-docling', 'gigachat', 'a.x-4.0', 'mellum'],
      ...['modern-bert', 'exaone4', 'jina-es', 'jina-de', 'jina-v2-es', 'jina-v2-de', 'jina-v1-en', 'jina-v2-code'],
      'roberta-bpe',
    ],
    patterns: [patterns.gpt2],
  },
  {
    names: ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'],
    patterns: [patterns.digit, patterns.gpt2],
  },
  {
    names: ['falcon'],
    patterns: [patterns.falconPunctuation, patterns.gpt2, patterns.threeAsciiDigits],
    alsoWritten: [[patterns.falconPunctuation, patterns.gpt2, patterns.digits, patterns.threeAsciiDigits]],
  },
  {
    names: ['deepseek-llm'],
    patterns: [
      patterns.lineEnd,
      patterns.deepSeekLlmLetters,
      patterns.deepSeekLlmPunctuation,
      patterns.spacesAtEnd,
      patterns.deepSeekCjk,
      patterns.digits,
    ],
    alsoWritten: [
      [
        patterns.lineEnd,
        patterns.deepSeekLlmLetters,
        patterns.deepSeekLlmPunctuation,
        patterns.spacesAtEnd,
        patterns.deepSeekCjk,
        patterns.digit,
      ],
    ],
  },
  {
    names: ['deepseek-coder'],
    patterns: [
      patterns.lineEnd,
      patterns.deepSeekCoderLetters,
      patterns.deepSeekCoderPunctuation,
      patterns.deepSeekCjk,
      patterns.digit,
    ],
  },
  {
    names: ['deepseek-v3', 'hunyuan-dense', 'joyai-llm', 'hy_v4'],
    patterns: [patterns.upToThreeDigits, patterns.deepSeekV3Cjk, patterns.deepSeekV3Words],
  },
  {
    names: ['gpt-4o', 'llama4', 'kanana2', 'talkie', 'minimax-m2'],
    patterns: [patterns.gpt4o(patterns.upToThreeDigits)],
  },
  {
    names: ['tekken'],
    patterns: [patterns.gpt4o(patterns.digit, '')],
    ignoreMerges: true,
    addBos: true,
  },
  {
    names: ['granite-embed-multi-97m'],
    patterns: [patterns.gpt4o(patterns.upToThreeDigits)],
    ignoreMerges: true,
    byNameOnly: true,
  },
  {
    names: ['tiny_aya', 'cohere2moe'],
    patterns: [families.tinyAyaDigits, patterns.gpt4o(patterns.upToThreeDigits)],
  },
  {
    names: ['youtu'],
    patterns: [families.youtuScripts, patterns.gpt4o(patterns.digit)],
    ignoreMerges: true,
  },
  { names: ['kimi-k2'], patterns: [families.kimiK2], alsoWritten: [[families.kimiK2Intersections]] },
  { names: ['bloom', 'poro-chat', 'gpt3-finnish'], patterns: [families.bloom] },
  { names: ['viking'], patterns: [families.bloom, patterns.digit] },
  { names: ['superbpe'], patterns: [patterns.digits, families.superBpeDigits] },
  {
    names: ['afmoe'],
    patterns: [families.afmoeDigits, families.afmoeScripts, patterns.deepSeekV3Words],
  },
  {
    names: ['spark2_5'],
    patterns: [patterns.upToThreeDigits, patterns.deepSeekV3Cjk, families.spark25, patterns.digit],
  },
  {
    names: ['chameleon'],
    patterns: [
      families.chameleonSentinel,
      families.chameleonImage,
      families.chameleonBlanks,
      patterns.digit,
      families.chameleonPunctuation,
      patterns.gpt2,
    ],
    addBos: true,
  },
  {
    names: ['gemma4', 'granite-embed-multi-311m', 'sarvam-moe'],
    patterns: [families.lines],
    isText: true,
    byNameOnly: true,
  },
];
