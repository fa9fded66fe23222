// A tokenizer without tokenizer.json: vocab.json, merges.txt (one pair a line), added_tokens.json, and in tokenizer_config.json
// the class of transformers that puts them together. What the class does is written as the tokenizer.json that transformers
// would save.
// Source: transformers 5.24 src/transformers/models/{qwen2,gpt2,roberta,llama}/tokenization_*.py.
import { QuernError } from '@quern/errors';
import * as patterns from '../pre-tokenizer/patterns.ts';
import { specialTexts } from './added-tokens.ts';
import type { BpePlaces } from './bpe-model.ts';
import { asId, type CheckpointFiles, isObject, type JsonObject, readJsonObject } from './checkpoint-files.ts';
import type { MadeTokenizer } from './made-tokenizer.ts';

const places: BpePlaces = { vocab: 'vocab.json', merges: 'merges.txt' };

/** What a class does with vocabulary and merges. */
interface Class {
  readonly names: readonly string[];
  readonly parts: (config: JsonObject) => JsonObject;
  /** Special tokens that it has when nobody names others. */
  readonly tokens: JsonObject;
}

const endOfText = '<|endoftext|>';
const byteLevel = (config: JsonObject, useRegex: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space: config.add_prefix_space === true,
  use_regex: useRegex,
});
const split = (regex: string): JsonObject => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
});

const gpt2: Class = {
  names: ['GPT2Tokenizer', 'CodeGenTokenizer', 'GPTNeoXTokenizer'],
  parts: (config) => ({ pre_tokenizer: byteLevel(config, true) }),
  tokens: { unk_token: endOfText, bos_token: endOfText, eos_token: endOfText },
};
const qwen2: Class = {
  names: ['Qwen2Tokenizer'],
  parts: (config) => ({
    normalizer: { type: 'NFC' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [split(patterns.gpt4(patterns.digit)), byteLevel(config, false)],
    },
  }),
  tokens: { unk_token: endOfText, eos_token: endOfText, pad_token: endOfText },
};
const roberta: Class = {
  names: ['RobertaTokenizer', 'BartTokenizer', 'LongformerTokenizer', 'LEDTokenizer', 'MvpTokenizer'],
  parts: (config) => ({ ...gpt2.parts(config), post_processor: { type: 'RobertaProcessing' } }),
  tokens: {
    ...{ bos_token: '<s>', eos_token: '</s>', sep_token: '</s>', cls_token: '<s>' },
    ...{ unk_token: '<unk>', pad_token: '<pad>', mask_token: '<mask>' },
  },
};
/** Byte-level BPE under a name that says nothing of it: Llama 3, told by its first token. */
const llama3: Class = {
  names: [],
  parts: (config) => ({
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [split(patterns.gpt4(patterns.upToThreeDigits)), byteLevel(config, false)],
    },
    post_processor: startsWith(config, '<|begin_of_text|>'),
  }),
  tokens: { bos_token: '<|begin_of_text|>' },
};
/** SentencePiece's BPE. */
const llama: Class = {
  names: [],
  parts: (config) => ({
    pre_tokenizer: {
      type: 'Metaspace',
      replacement: '▁',
      prepend_scheme: config.add_prefix_space === false ? 'never' : 'always',
      split: false,
    },
    post_processor: startsWith(config, '<s>'),
  }),
  tokens: { unk_token: '<unk>', bos_token: '<s>', eos_token: '</s>' },
};
const classes: readonly Class[] = [gpt2, qwen2, roberta];
const namesOfNone = ['LlamaTokenizer', 'PreTrainedTokenizer', 'TokenizersBackend'];

const startsWith = ({ add_bos_token: adds }: JsonObject, token: string): JsonObject | null =>
  adds === false
    ? null
    : {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: token } }, { Sequence: { id: 'A' } }],
        pair: [{ SpecialToken: { id: token } }, { Sequence: { id: 'A' } }, { Sequence: { id: 'B' } }],
      };

/**
 * Undefined when the two files are not there.
 * @throws QuernError `tokenizer-missing` when one of them is, `tokenizer-json-malformed`, `tokenizer-class-unknown`
 */
export async function slowTokenizer(
  files: CheckpointFiles,
  config: JsonObject | undefined,
  specialTokensMap: JsonObject | undefined,
): Promise<MadeTokenizer | undefined> {
  const vocab = await readJsonObject(files, places.vocab);
  const merges = await files.readText(places.merges);
  if (vocab === undefined && merges === undefined) return undefined;
  if (vocab === undefined || merges === undefined) {
    const [has, lacks] = vocab ? [places.vocab, places.merges] : [places.merges, places.vocab];
    throw new QuernError('tokenizer-missing', `The checkpoint has ${has}, but neither ${lacks} nor tokenizer.json.`, {
      remedy: `Put ${lacks} of the model into the folder.`,
    });
  }
  const added = (await readJsonObject(files, 'added_tokens.json')) ?? {};
  const known = classOf(config, await readJsonObject(files, 'config.json'), { ...vocab, ...added });
  const whole = { ...known.tokens, ...specialTokensMap, ...config };
  const special = specialTexts(whole);
  return {
    config: whole,
    places,
    tokenizer: {
      model: {
        type: 'BPE',
        vocab,
        merges: merges
          .split(/\r?\n/)
          .filter((line, index) => line !== '' && !(index === 0 && line.startsWith('#version'))),
        byte_fallback: known === llama,
        ignore_merges: known === llama3,
      },
      added_tokens: Object.entries(added).map(([content, id]) => ({
        id: asId(id, 'added_tokens.json', `the id of ${JSON.stringify(content)}`),
        content,
        special: special.has(content),
      })),
      ...known.parts(whole),
    },
  };
}

/** By the name of the class; where that is one for all, by the kind of model and by what the vocabulary shows. */
function classOf(config: JsonObject | undefined, modelConfig: JsonObject | undefined, vocab: JsonObject): Class {
  const named = config?.tokenizer_class ?? modelConfig?.tokenizer_class;
  const name = typeof named === 'string' ? named.replace(/Fast$/, '') : undefined;
  const known = classes.find(({ names }) => name !== undefined && names.includes(name));
  if (known) return known;
  if (name === undefined || namesOfNone.includes(name)) {
    if (Object.hasOwn(vocab, '<0x0A>')) return llama;
    if (Object.hasOwn(vocab, '<|begin_of_text|>')) return llama3;
    const kind = isObject(modelConfig) ? modelConfig.model_type : undefined;
    if (typeof kind === 'string' && /^qwen[23]/.test(kind)) return qwen2;
    if (kind === 'gpt2') return gpt2;
  }
  const what = name === undefined ? 'names no tokenizer_class' : `names the tokenizer_class ${JSON.stringify(named)}`;
  throw new QuernError(
    'tokenizer-class-unknown',
    `tokenizer_config.json ${what}, so how text is cut before vocab.json and merges.txt apply is not known.`,
    {
      file: 'tokenizer_config.json',
      remedy:
        "Put the model's tokenizer.json into the folder; AutoTokenizer.from_pretrained(…).save_pretrained(…) writes it.",
    },
  );
}
