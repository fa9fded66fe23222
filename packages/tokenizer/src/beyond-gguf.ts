// What a checkpoint's tokenizer does and GGUF has no key for. A view of a checkpoint carries it under keys of our own, so
// that the model gets the tokens it was trained with; a file never has them: what it would lose is refused, or is known
// to matter to no text that people type (NFC).

import { QuernError } from '@quern/errors';
import { isObject } from './huggingface/checkpoint-files.ts';
import { type MetadataView, readString } from './metadata-view.ts';
import { onlyComposes } from './steps/normalizer.ts';

export const beyondKeys = {
  /** `normalizer` of tokenizer.json, as JSON. */
  normalizer: 'quern.tokenizer.normalizer',
  /** `pre_tokenizer` of tokenizer.json, as JSON, where no name is known for it. */
  preTokenizer: 'quern.tokenizer.pre_tokenizer',
  /** Whether a word that is a token is taken whole, where the pre-tokenizer's name says otherwise. */
  ignoreMerges: 'quern.tokenizer.ignore_merges',
  /** Ids of the tokens that are found in a text before it is cut, where their types say otherwise. */
  added: 'quern.tokenizer.added',
  /** Those of them that are plain text, so that a text may always contain them, though their type is that of a piece. */
  addedText: 'quern.tokenizer.added_text',
  /** Ids of tokens that take the white space before them, and behind them. */
  stripsLeft: 'quern.tokenizer.strips_left',
  stripsRight: 'quern.tokenizer.strips_right',
  /** Why no GGUF file can say what this tokenizer does. */
  refused: 'quern.tokenizer.refused',
} as const;

const prefix = 'quern.tokenizer.';
const file = 'tokenizer.json';

/**
 * The metadata without what only a view has.
 * @throws QuernError `pre-tokenizer-unsupported`, `normalizer-unsupported`, `tokenizer-kind-unsupported` where a file
 *   would make other tokens of a text than the checkpoint does
 */
export function ggufTokenizerMetadata<T extends MetadataView>(metadata: T): T {
  const refused = readString(metadata, beyondKeys.refused);
  if (refused !== undefined) {
    throw new QuernError('tokenizer-kind-unsupported', `GGUF cannot say what the tokenizer does: ${refused}.`, {
      file,
      remedy: "Put the model's tokenizer.model beside it; it is used first.",
    });
  }
  const preTokenizer = readString(metadata, beyondKeys.preTokenizer);
  if (preTokenizer !== undefined && !metadata.has('tokenizer.ggml.pre')) {
    throw new QuernError(
      'pre-tokenizer-unsupported',
      `llama.cpp has no name for how tokenizer.json cuts text: ${inWords(JSON.parse(preTokenizer))}.`,
      { file, remedy: 'Name one that cuts alike with --pre NAME, for example --pre llama-bpe.' },
    );
  }
  const normalizer = readString(metadata, beyondKeys.normalizer);
  // Of Unigram GGUF has the character map and the spaces: what else there is, `refused` tells.
  const isUnigram = readString(metadata, 'tokenizer.ggml.model') === 't5';
  if (normalizer !== undefined && !isUnigram && !onlyComposes(JSON.parse(normalizer))) {
    throw new QuernError(
      'normalizer-unsupported',
      `GGUF cannot say how tokenizer.json normalizes text: ${normalizer}.`,
      {
        file,
        remedy: 'Run the checkpoint itself, or use a model without it.',
      },
    );
  }
  const kept = [...metadata].filter(([key]) => !key.startsWith(prefix));
  return new Map(kept) as unknown as T;
}

/** The expressions of a pre-tokenizer one after the other; steps of other kinds as JSON. */
function inWords(step: unknown): string {
  if (!isObject(step)) return 'not at all';
  if (step.type === 'Sequence' && Array.isArray(step.pretokenizers))
    return step.pretokenizers
      .filter(
        (each) => !isObject(each) || each.type !== 'ByteLevel' || each.use_regex !== false || each.add_prefix_space,
      )
      .map(inWords)
      .join(', then ');
  const regex = isObject(step.pattern) ? step.pattern.Regex : undefined;
  if (typeof regex !== 'string') return JSON.stringify(step);
  const how = step.behavior === 'Isolated' ? '' : ` (${step.behavior}${step.invert === true ? ', inverted' : ''})`;
  return regex.replaceAll('\r', '\\r').replaceAll('\n', '\\n') + how;
}
