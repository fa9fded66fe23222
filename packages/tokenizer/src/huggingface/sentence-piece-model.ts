// `tokenizer.model`: a SentencePiece model, a protocol buffer `ModelProto` (sentencepiece_model.proto):
//   1 pieces: repeated {1 piece: string, 2 score: float, 3 type: enum, default 1}
//   2 trainer_spec: {3 model_type: enum, default 1; 1 unigram, 2 BPE, 3 word, 4 char}
//   3 normalizer_spec: {2 precompiled_charsmap: bytes, 3 add_dummy_prefix, 4 remove_extra_whitespaces: bool, default true}
// The enum of piece types has the numbers of `tokenTypes`.

import { QuernError } from '@quern/errors';
import { tokenTypes } from '../tokenizer.ts';
import { type ProtobufField, protobufFields } from './protobuf.ts';

export interface SentencePieceEntry {
  text: string;
  score: number;
  /** One of `tokenTypes`. */
  type: number;
}

const file = 'tokenizer.model';
const modelTypes: Record<string, string> = { '1': 'unigram', '2': 'BPE', '3': 'word', '4': 'char' };

/** How a text is written before it is cut. */
export interface SentencePieceNormalizer {
  characterMap: Uint8Array;
  spacePrefix: boolean;
  mergeSpaces: boolean;
}

/** Throws `protobuf-malformed`, `sentence-piece-malformed`, `tokenizer-kind-unsupported` (of another kind). */
export function parseSentencePieceModel(
  bytes: Uint8Array,
  kind: 'BPE' | 'unigram' = 'BPE',
): { pieces: readonly SentencePieceEntry[]; normalizer: SentencePieceNormalizer } {
  const pieces: SentencePieceEntry[] = [];
  let modelType = 1n;
  const normalizer = { characterMap: new Uint8Array(0), spacePrefix: true, mergeSpaces: true };
  for (const field of protobufFields(bytes, file)) {
    if (field.number === 1) pieces.push(parsePiece(bytesOf(field), offsetIn(bytes, field), pieces.length));
    if (field.number === 2) modelType = modelTypeOf(bytesOf(field), offsetIn(bytes, field));
    if (field.number === 3) Object.assign(normalizer, parseNormalizer(bytesOf(field), offsetIn(bytes, field)));
  }
  if (pieces.length === 0) throw malformed('it has no pieces');
  const found = modelTypes[String(modelType)];
  if (found !== kind) {
    throw new QuernError(
      'tokenizer-kind-unsupported',
      `${file} is a SentencePiece model of the kind ${found ?? modelType}.`,
      { file, remedy: 'Use a model whose tokenizer is BPE, byte-level or SentencePiece.' },
    );
  }
  return { pieces, normalizer };
}

function parseNormalizer(bytes: Uint8Array, start: number): Partial<SentencePieceNormalizer> {
  const normalizer: Partial<SentencePieceNormalizer> = {};
  for (const field of protobufFields(bytes, file, start)) {
    if (field.number === 2) normalizer.characterMap = bytesOf(field);
    if (field.number === 3 && field.wire === 'varint') normalizer.spacePrefix = field.value !== 0n;
    if (field.number === 4 && field.wire === 'varint') normalizer.mergeSpaces = field.value !== 0n;
  }
  return normalizer;
}

function parsePiece(bytes: Uint8Array, start: number, id: number): SentencePieceEntry {
  const piece: SentencePieceEntry = { text: '', score: 0, type: tokenTypes.normal };
  for (const field of protobufFields(bytes, file, start)) {
    if (field.number === 1) piece.text = utf8(bytesOf(field), id);
    if (field.number === 2) piece.score = float(field, id);
    if (field.number === 3) piece.type = pieceType(field, id);
  }
  if (piece.text === '') throw malformed(`piece ${id} has no text`);
  return piece;
}

function modelTypeOf(bytes: Uint8Array, start: number): bigint {
  let type = 1n;
  for (const field of protobufFields(bytes, file, start)) {
    if (field.number === 3 && field.wire === 'varint') type = field.value;
  }
  return type;
}

function pieceType(field: ProtobufField, id: number): number {
  const type = field.wire === 'varint' ? Number(field.value) : 0;
  if (type < tokenTypes.normal || type > tokenTypes.byte) throw malformed(`piece ${id} has the type ${type}`);
  return type;
}

function float(field: ProtobufField, id: number): number {
  const value = field.wire === 'fixed32' ? field.value : undefined;
  const score = value ? new DataView(value.buffer, value.byteOffset, 4).getFloat32(0, true) : Number.NaN;
  if (Number.isNaN(score)) throw malformed(`piece ${id} has no number for a score`);
  return score;
}

function utf8(bytes: Uint8Array, id: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed(`the text of piece ${id} is not UTF-8`);
  }
}

function bytesOf(field: ProtobufField): Uint8Array {
  if (field.wire !== 'bytes') throw malformed(`field ${field.number} is a ${field.wire}`);
  return field.value;
}

function offsetIn(bytes: Uint8Array, field: ProtobufField): number {
  return (field.value as Uint8Array).byteOffset - bytes.byteOffset;
}

function malformed(what: string): QuernError {
  return new QuernError('sentence-piece-malformed', `${file} is no valid SentencePiece model: ${what}.`, {
    file,
    remedy: 'Download the file again, or remove it so that tokenizer.json is used.',
  });
}
