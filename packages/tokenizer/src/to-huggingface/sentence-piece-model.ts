// `tokenizer.model`, the SentencePiece model itself (protocol buffer `ModelProto` of sentencepiece_model.proto):
//   1 pieces: repeated {1 piece: string, 2 score: float, 3 type: enum}
//   2 trainer_spec: {3 model_type, 4 vocab_size, 35 byte_fallback, 40…42 ids and 45…47 texts of unk, bos, eos, 43 pad id}
//   3 normalizer_spec: {1 name, 3 add_dummy_prefix, 4 remove_extra_whitespaces, 5 escape_whitespaces}
// The enum of piece types has the numbers of `tokenTypes`.

import { addedScore } from '../huggingface/token-list.ts';
import { type MetadataView, readBoolean } from '../metadata-view.ts';
import { type Tokenizer, tokenTypes } from '../tokenizer.ts';
import type { Vocabulary } from '../vocabulary/vocabulary.ts';
import { isPadding } from './added-tokens.ts';
import { ProtobufWriter } from './protobuf-writer.ts';

const bpe = 2;

/** Tokens that conversion adds to the pieces of the model. */
export const isAdded = ({ types, scores }: Vocabulary, id: number): boolean =>
  types[id] === tokenTypes.userDefined || (types[id] === tokenTypes.control && scores[id] === addedScore);

/** Undefined when the vocabulary has not exactly one unknown token: SentencePiece does not load such a model. */
export function sentencePieceModel(
  metadata: MetadataView,
  vocabulary: Vocabulary,
  { bos, eos }: Tokenizer,
): Uint8Array | undefined {
  const { texts, types, scores } = vocabulary;
  const isUnknown = (id: number) => types[id] === tokenTypes.unknown && !isPadding(vocabulary, id);
  const [unknown, ...more] = [...texts.keys()].filter(isUnknown);
  if (unknown === undefined || more.length > 0) return undefined;
  // What is added or padded behind the last piece is said elsewhere.
  let count = texts.length;
  while (isPadding(vocabulary, count - 1) || isAdded(vocabulary, count - 1)) count--;

  const model = new ProtobufWriter();
  for (let id = 0; id < count; id++) {
    const piece = new ProtobufWriter().string(1, texts[id]!).float(2, scores[id]!);
    if (types[id] !== tokenTypes.normal) piece.integer(3, types[id]!);
    model.message(1, piece);
  }
  const named = (field: number, id: number | undefined): void => {
    trainer.integer(field, id ?? -1);
    if (id !== undefined) trainer.string(field + 5, texts[id]!);
  };
  const trainer = new ProtobufWriter().integer(3, bpe).integer(4, count).integer(35, 1);
  named(40, unknown);
  named(41, bos);
  named(42, eos);
  trainer.integer(43, -1);
  const prefix = readBoolean(metadata, 'tokenizer.ggml.add_space_prefix') ?? true;
  const normalizer = new ProtobufWriter()
    .string(1, 'identity')
    .integer(3, prefix ? 1 : 0)
    .integer(4, 0)
    .integer(5, 1);
  return model.message(2, trainer).message(3, normalizer).finish();
}
