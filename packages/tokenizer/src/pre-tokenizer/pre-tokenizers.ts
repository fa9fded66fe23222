// The table of pre-tokenizers: the name in `tokenizer.ggml.pre` and how it cuts text into words. A new one is a row.
// Names and flags are llama.cpp's (src/llama-vocab.cpp `llama_vocab::impl::load`).

import { QuernError } from '@quern/errors';
import { compilePattern, samePattern, splitIsolated } from './compile.ts';
import * as patterns from './patterns.ts';

export interface PreTokenizer {
  readonly name: string;
  /** Applied one after the other, each to the pieces that the one before left (dialect: patterns.ts). */
  readonly patterns: readonly string[];
  /** A word that is itself a token is taken whole, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
  /** BOS is added when the metadata does not say. */
  readonly addBos: boolean;
  split(text: string): readonly string[];
}

interface Row {
  names: readonly string[];
  /** Applied one after the other, each to the pieces that the one before left. */
  patterns: readonly string[];
  /** The same in other steps, as tokenizer.json files have it. */
  alsoWritten?: readonly string[];
  ignoreMerges?: boolean;
  addBos?: boolean;
}

/** Of several rows or names with the same patterns, conversion writes the first. */
const table: readonly Row[] = [
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
  { names: ['glm4'], patterns: [patterns.gpt4(patterns.upToThreeDigits)], ignoreMerges: true },
  {
    names: [
      ...['qwen2', 'stablelm2', 'hunyuan', 'solar-open', 'deepseek-r1-qwen', 'kormo', 'f2llmv2', 'megrez', 'grok-2'],
    ],
    patterns: [patterns.gpt4(patterns.digit)],
  },
  { names: ['qwen35'], patterns: [patterns.gpt4WithMarks] },
  { names: ['ufakzeka'], patterns: [patterns.gpt4(patterns.digit, '')] },
  { names: ['seed-coder'], patterns: [patterns.seedCoder] },
  { names: ['bailingmoe', 'bailingmoe2', 'llada-moe'], patterns: [patterns.bailingMoe] },
  {
    names: ['minicpm5'],
    patterns: [patterns.upToThreeDigits, patterns.gpt4(patterns.digits)],
    ignoreMerges: true,
  },
  {
    names: [
      ...['gpt-2', 'phi-2', 'mpt', 'olmo', 'jais', 'trillion', 'granite-docling', 'gigachat', 'a.x-4.0', 'mellum'],
      ...['modern-bert', 'exaone4'],
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
    alsoWritten: [patterns.falconPunctuation, patterns.gpt2, patterns.digits, patterns.threeAsciiDigits],
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
      patterns.lineEnd,
      patterns.deepSeekLlmLetters,
      patterns.deepSeekLlmPunctuation,
      patterns.spacesAtEnd,
      patterns.deepSeekCjk,
      patterns.digit,
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
  { names: ['bloom', 'poro-chat', 'gpt3-finnish'], patterns: [patterns.bloom] },
  { names: ['viking'], patterns: [patterns.bloom, patterns.digit] },
];

const rowOf = new Map(table.flatMap((row) => row.names.map((name) => [name, row] as const)));

/** Names that `preTokenizerNamed` knows, in the table's order. */
export const preTokenizerNames: readonly string[] = [...rowOf.keys()];

/** The name of the pre-tokenizer that applies `steps`, one after the other. */
export function preTokenizerWithPatterns(steps: readonly string[]): string | undefined {
  const same = (written: readonly string[] | undefined) =>
    written?.length === steps.length && written.every((pattern, index) => samePattern(pattern, steps[index] as string));
  return table.find((row) => same(row.patterns) || same(row.alsoWritten))?.names[0];
}

/** Throws `pre-tokenizer-unknown`. */
export function preTokenizerNamed(name: string): PreTokenizer {
  const row = rowOf.get(name);
  if (!row) {
    throw new QuernError('pre-tokenizer-unknown', `Unknown pre-tokenizer "${name}" (tokenizer.ggml.pre).`, {
      remedy: `Use a model with one of these: ${preTokenizerNames.join(', ')}.`,
    });
  }
  const expressions = row.patterns.map(compilePattern);
  return {
    name,
    patterns: row.patterns,
    ignoreMerges: row.ignoreMerges ?? false,
    addBos: row.addBos ?? false,
    split: (text) => expressions.reduce<readonly string[]>(splitIsolated, [text]),
  };
}
