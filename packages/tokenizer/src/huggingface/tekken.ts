// Mistral's tekken.json: a rank list with special tokens in front, of which GGUF gets as many as the file's configuration
// counts. It becomes the tokenizer.json that says the same.
// Source: mistral-common 1.13 tokens/tokenizers/tekken.py; llama.cpp gguf-py/gguf/vocab.py `MistralVocab`.
import { QuernError } from '@quern/errors';
import { byteCharacters } from '../vocabulary/byte-level.ts';
import {
  asArray,
  asId,
  asObject,
  asString,
  type CheckpointFiles,
  type JsonObject,
  malformed,
  readJsonObject,
} from './checkpoint-files.ts';
import type { MadeTokenizer } from './made-tokenizer.ts';
import { mergesOfAllPairs } from './merges-of-ranks.ts';
import { rankList, sequenceOf } from './rank-list.ts';
import { rankedTokenizer } from './ranked-tokenizer.ts';

const file = 'tekken.json';

/** Special tokens of the versions that list none (up to v7). */
const firstSpecials: readonly string[] = [
  ...['<unk>', '<s>', '</s>', '[INST]', '[/INST]', '[AVAILABLE_TOOLS]', '[/AVAILABLE_TOOLS]', '[TOOL_RESULTS]'],
  ...['[/TOOL_RESULTS]', '[TOOL_CALLS]', '[IMG]', '<pad>', '[IMG_BREAK]', '[IMG_END]', '[PREFIX]', '[MIDDLE]'],
  ...['[SUFFIX]', '[SYSTEM_PROMPT]', '[/SYSTEM_PROMPT]', '[TOOL_CONTENT]'],
];

/** What mistral-common puts around a text. */
const roles: Readonly<Record<string, string>> = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  pad_token: '<pad>',
};

/**
 * Undefined when there is no such file.
 * @throws QuernError `tokenizer-json-malformed`, `tokenizer-vocab-duplicate`, `tokenizer-merge-unknown`, `tokenizer-ranks-too-long`
 */
export async function tekkenTokenizer(files: CheckpointFiles): Promise<MadeTokenizer | undefined> {
  const tekken = await readJsonObject(files, file);
  if (tekken === undefined) return undefined;
  const config = asObject(tekken.config, file, 'config');
  const vocab = asArray(tekken.vocab, file, 'vocab');
  const size = asId(config.default_vocab_size, file, 'config.default_vocab_size');
  const specialCount = asId(config.default_num_special_tokens, file, 'config.default_num_special_tokens');
  const used = size - specialCount;
  if (used < 0 || used > vocab.length)
    throw malformed(
      file,
      `is malformed: of ${size} tokens ${specialCount} are special, and it lists ${vocab.length} others`,
    );
  const ranks = rankList(
    vocab.slice(0, used).map((entry, index) => readToken(entry, index)),
    file,
  );
  const specials = specialTexts(tekken, config, specialCount);
  const named = Object.entries(roles).filter(([, text]) => specials.includes(text));
  return {
    config: { ...Object.fromEntries(named), add_bos_token: true, add_eos_token: false },
    places: { vocab: file, merges: file },
    scores: true,
    tokenizer: rankedTokenizer({
      ranks,
      firstId: specialCount,
      merges: mergesOfAllPairs(ranks, file),
      ignoreMerges: true,
      pattern: asString(config.pattern, file, 'config.pattern'),
      specials: specials.map((text, id) => [text, id]),
    }),
  };
}

function readToken(value: unknown, index: number): [text: string, rank: number] {
  const entry = asObject(value, file, `vocab[${index}]`);
  const text = sequenceOf(asString(entry.token_bytes, file, `vocab[${index}].token_bytes`), file, `vocab[${index}]`);
  if (entry.rank !== index) throw malformed(file, `is malformed: the rank of vocab[${index}] is not ${index}`);
  if (index < 256 && text !== byteCharacters[index])
    throw malformed(file, `is malformed: vocab[${index}] is not that byte`);
  return [text, index];
}

/** By id; ids that the file does not name are `<SPECIAL_7>`. */
function specialTexts(tekken: JsonObject, config: JsonObject, count: number): readonly string[] {
  const listed = tekken.special_tokens;
  const version = asString(config.version, file, 'config.version');
  const isListed = listed !== undefined && listed !== null;
  if (!isListed && !/^v[1-7]$/.test(version))
    throw malformed(file, `is malformed: it lists no special_tokens, which version ${version} needs`);
  const named = new Map<number, string>(
    isListed ? readSpecials(listed) : firstSpecials.map((text, id): [number, string] => [id, text]),
  );
  if (named.size > count || [...named.keys()].some((id) => id >= count))
    throw malformed(file, `is malformed: it lists ${named.size} special tokens, and room for ${count}`);
  const texts = Array.from({ length: count }, (_, id) => named.get(id) ?? `<SPECIAL_${id}>`);
  const seen = new Set<string>();
  const twice = texts.find((text) => seen.size === seen.add(text).size);
  if (twice !== undefined) throw duplicate(`Two special tokens are ${JSON.stringify(twice)}.`);
  return texts;
}

function* readSpecials(listed: unknown): Iterable<[id: number, text: string]> {
  const ids = new Set<number>();
  for (const [index, entry] of asArray(listed, file, 'special_tokens').entries()) {
    const token = asObject(entry, file, `special_tokens[${index}]`);
    const id = asId(token.rank, file, `special_tokens[${index}].rank`);
    if (ids.has(id)) throw duplicate(`The id ${id} belongs to two special tokens.`);
    ids.add(id);
    yield [id, asString(token.token_str, file, `special_tokens[${index}].token_str`)];
  }
}

const duplicate = (what: string): QuernError =>
  new QuernError('tokenizer-vocab-duplicate', what, { file, remedy: 'Download tekken.json again.' });
