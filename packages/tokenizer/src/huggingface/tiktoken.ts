// A tokenizer whose vocabulary is a list for tiktoken (`hy.tiktoken`, Kimi's `tiktoken.model`). How text is cut and what the
// special tokens are stands in Python beside it; the class that tokenizer_config.json names says which Python that is.
// Source: tokenization_kimi.py, tokenization_hy.py and tokenization_qwen.py of the models; llama.cpp conversion/{deepseek,
// hunyuan,base}.py for what GGUF gets of them.
import { QuernError } from '@quern/errors';
import * as families from '../pre-tokenizer/family-patterns.ts';
import * as patterns from '../pre-tokenizer/patterns.ts';
import { addedTokensOfConfig } from './added-tokens.ts';
import type { CheckpointFiles, JsonObject } from './checkpoint-files.ts';
import type { MadeTokenizer } from './made-tokenizer.ts';
import { mergesByReplay } from './merges-of-ranks.ts';
import { looksLikeRankList, parseRankList } from './rank-list.ts';
import { rankedTokenizer } from './ranked-tokenizer.ts';

/** What a class of tokenizers does with a rank list. */
interface Class {
  readonly name: string;
  readonly pattern: string;
  readonly composes?: boolean;
  readonly ignoreMerges?: boolean;
  /** Texts of the ids behind the list, by the names that tokenizer_config.json has for ids. */
  readonly specials: (firstId: number, named: ReadonlyMap<number, string>) => readonly string[];
}

const numbered = (count: number, text: (index: number) => string): string[] =>
  Array.from({ length: count }, (_, index) => text(index));
const extra = (index: number) => `<|extra_${index}|>`;

const classes: readonly Class[] = [
  {
    name: 'TikTokenTokenizer',
    pattern: families.kimiK2Intersections,
    // 256 are reserved, and two for the ends of a text.
    specials: (firstId, named) =>
      numbered(258, (index) => named.get(firstId + index) ?? `<|reserved_token_${firstId + index}|>`),
  },
  {
    name: 'HYTokenizer',
    pattern: patterns.gpt4(patterns.digit),
    composes: true,
    specials: () => ['<|endoftext|>', '<|startoftext|>', '<|bos|>', '<|eos|>', '<|pad|>', ...numbered(205, extra)],
  },
  {
    name: 'QWenTokenizer',
    pattern: patterns.gpt4(patterns.digit),
    composes: true,
    specials: () => ['<|endoftext|>', '<|im_start|>', '<|im_end|>', ...numbered(205, extra)],
  },
];

/** Llama 3's list, whose class says nothing: told by its first special token. */
const llama3: Class = {
  name: 'Llama 3',
  pattern: patterns.gpt4(patterns.upToThreeDigits),
  ignoreMerges: true,
  specials: () => [],
};

/** Files that are rank lists by their names, and one that may be. */
const isRankListName = (name: string): boolean =>
  name.endsWith('.tiktoken') || name === 'tiktoken.model' || name === 'tokenizer.model';
const usualNames = ['tiktoken.model', 'tokenizer.model', 'hy.tiktoken', 'qwen.tiktoken'];

/**
 * Undefined when there is no such list.
 * @param preTokenizer what a person says of how text is cut, where no class does
 * @throws QuernError `tokenizer-class-unknown`, `tokenizer-ambiguous`, and those of `parseRankList` and `mergesByReplay`
 */
export async function tiktokenTokenizer(
  files: CheckpointFiles,
  config: JsonObject | undefined,
  preTokenizer: string | undefined,
): Promise<MadeTokenizer | undefined> {
  const list = await findList(files);
  if (!list) return undefined;
  const ranks = parseRankList(list.bytes, list.file);
  const firstId = ([...ranks.values()].at(-1) as number) + 1;
  const named = new Map(addedTokensOfConfig(config).map(({ id, text }) => [id, text]));
  const known = classOf(config, [...named.values()]);
  if (!known && preTokenizer === undefined) throw unknownClass(config, list.file);
  const specials = known?.specials(firstId, named) ?? [];
  const inWindow = (id: number) => id >= firstId && id < firstId + specials.length;
  // Every byte has a token: none is unknown. What the class lists itself, it makes special.
  const { unk_token: _, added_tokens_decoder: decoder, ...rest } = config ?? {};
  const others = Object.entries((decoder ?? {}) as JsonObject).filter(([id]) => !inWindow(Number(id)));
  return {
    config: { ...rest, added_tokens_decoder: Object.fromEntries(others) },
    places: { vocab: list.file, merges: list.file },
    tokenizer: rankedTokenizer({
      ...{ ranks, firstId: 0, pattern: known?.pattern, composes: known?.composes },
      merges: mergesByReplay(ranks, list.file),
      ignoreMerges: known?.ignoreMerges ?? false,
      specials: specials.map((text, index) => [text, firstId + index]),
    }),
  };
}

async function findList(files: CheckpointFiles): Promise<{ file: string; bytes: Uint8Array } | undefined> {
  const names = (await files.fileNames?.()) ?? usualNames;
  const found: { file: string; bytes: Uint8Array }[] = [];
  for (const file of names.filter(isRankListName)) {
    const bytes = await files.readBytes(file);
    if (bytes && (file !== 'tokenizer.model' || looksLikeRankList(bytes))) found.push({ file, bytes });
  }
  if (found.length > 1) {
    throw new QuernError('tokenizer-ambiguous', `There are ${found.map(({ file }) => file).join(' and ')}.`, {
      remedy: 'Keep the one that belongs to the model.',
    });
  }
  return found[0];
}

function classOf(config: JsonObject | undefined, named: readonly string[]): Class | undefined {
  const name = config?.tokenizer_class;
  const known = classes.find((each) => each.name === name);
  return known ?? (named.includes('<|begin_of_text|>') ? llama3 : undefined);
}

function unknownClass(config: JsonObject | undefined, file: string): QuernError {
  const name = config?.tokenizer_class;
  const what =
    typeof name === 'string' ? `names the tokenizer_class ${JSON.stringify(name)}` : 'names no tokenizer_class';
  return new QuernError(
    'tokenizer-class-unknown',
    `tokenizer_config.json ${what}, so how text is cut before ${file} applies is not known.`,
    {
      file: 'tokenizer_config.json',
      remedy: `Put the model's tokenizer.json beside ${file}, or name what cuts alike with --pre NAME, for example --pre qwen2.`,
    },
  );
}
