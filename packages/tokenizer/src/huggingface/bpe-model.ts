// The BPE model in tokenizer.json (`model.vocab` and `model.merges`), or in vocab.json and merges.txt, checked.

import { QuernError } from '@quern/errors';
import { TextIndex } from '../vocabulary/text-index.ts';
import { asArray, asObject, isId, type JsonObject, malformed } from './checkpoint-files.ts';

export interface BpeModel {
  /** Text to id, without added tokens that are only listed as such. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  /** Unknown characters become `<0x0A>` tokens: SentencePiece's way, not byte-level BPE's. */
  readonly byteFallback: boolean;
}

/** Where vocabulary and merges stand, for errors. */
export interface BpePlaces {
  readonly vocab: string;
  readonly merges: string;
}

const file = 'tokenizer.json';
const within: BpePlaces = { vocab: file, merges: file };

/** Throws `tokenizer-json-malformed`, `tokenizer-kind-unsupported`, `tokenizer-vocab-*`, `tokenizer-merge-unknown`. */
export function readBpeModel(tokenizer: JsonObject, places: BpePlaces = within): BpeModel {
  const model = asObject(tokenizer.model, file, 'model');
  if (model.type !== 'BPE') {
    throw new QuernError('tokenizer-kind-unsupported', `tokenizer.json holds a ${model.type} model, not BPE.`, {
      file,
      remedy: 'Use a model whose tokenizer is BPE, byte-level or SentencePiece.',
    });
  }
  for (const option of ['continuing_subword_prefix', 'end_of_word_suffix']) {
    if (model[option]) {
      throw new QuernError('tokenizer-kind-unsupported', `tokenizer.json asks for ${option} "${model[option]}".`, {
        file,
        remedy: 'GGUF cannot say this; use a model without it.',
      });
    }
  }
  const vocab = readVocab(model, places.vocab);
  const known = new TextIndex([...vocab.keys()]);
  const merges = asArray(model.merges, places.merges, 'the list of merges')
    .filter((merge, index) => !(index === 0 && typeof merge === 'string' && merge.startsWith('#version')))
    .map((merge, index) => readMerge(merge, index, known, places.merges));
  return { vocab, merges, byteFallback: model.byte_fallback === true };
}

export function readVocab(model: JsonObject, file: string): ReadonlyMap<string, number> {
  const vocab = new Map<string, number>();
  const ids = new Map<number, string>();
  const stored = asObject(model.vocab, file, 'the vocabulary');
  for (const text of Object.keys(stored)) {
    const id = stored[text];
    // What an error would say is a text to be made, so only then.
    if (!isId(id)) throw malformed(file, `is malformed: the id of ${JSON.stringify(text)} is not a token id`);
    const other = ids.get(id);
    if (other !== undefined) {
      throw new QuernError(
        'tokenizer-vocab-duplicate',
        `The tokens ${JSON.stringify(other)} and ${JSON.stringify(text)} both have the id ${id}.`,
        { file, remedy: `Download ${file} again, or give each token its own id.` },
      );
    }
    ids.set(id, text);
    vocab.set(text, id);
  }
  if (vocab.size === 0) throw malformed(file, 'is malformed: the vocabulary is empty');
  return vocab;
}

function readMerge(merge: unknown, index: number, vocab: TextIndex, file: string): readonly [string, string] {
  const pair = typeof merge === 'string' ? merge.split(' ') : merge;
  if (!isPair(pair)) throw malformed(file, `is malformed: merge ${index} is not a pair of texts`);
  const [left, right] = pair;
  const isKnown = vocab.findJoined(left, right) !== -1;
  if (isKnown && vocab.has(left) && vocab.has(right)) return pair;
  const lacking = [left, right, left + right].find((text) => !vocab.has(text));
  throw new QuernError(
    'tokenizer-merge-unknown',
    `Merge ${index} (${JSON.stringify([left, right])}) needs the token ${JSON.stringify(lacking)}, which is not there.`,
    { file, remedy: `Download ${file} again: its merges and the vocabulary do not belong together.` },
  );
}

const isPair = (value: unknown): value is readonly [string, string] =>
  Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string' && part !== '');
