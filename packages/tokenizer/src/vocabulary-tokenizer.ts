// A tokenizer over a vocabulary: cut at special tokens, encode what is between them, add BOS and EOS (llama.cpp
// `llama_vocab::impl::tokenize` and `token_to_piece`).

import { QuernError } from '@quern/errors';
import { type DecodeOptions, type EncodeOptions, type FillInTokens, type Tokenizer, tokenTypes } from './tokenizer.ts';
import type { Partition } from './vocabulary/partition.ts';
import type { SpecialDefaults, SpecialTokens } from './vocabulary/special-tokens.ts';
import type { Vocabulary } from './vocabulary/vocabulary.ts';

/** How one kind of tokenizer reads text and writes normal tokens. */
export interface TokenizerKind {
  /** Appends the ids of a text without special tokens. */
  encode(text: string, ids: number[]): void;
  bytesOfNormal(text: string): Uint8Array;
  /** A space is put before a text that begins the input or follows a special token. */
  readonly spacePrefix: boolean;
  /** Whether no part of a text is dropped, or joined with others to a token that stands for any of them. */
  readonly keepsAll: boolean;
  /** Whether BOS is added when the metadata does not say. */
  readonly addBos: boolean;
  /** The same of EOS; not when not given. */
  readonly addEos?: boolean;
  readonly defaults: SpecialDefaults;
}

export interface TokenizerParts {
  vocabulary: Vocabulary;
  kind: TokenizerKind;
  special: SpecialTokens;
  partition: Partition;
  addBos: boolean;
  addEos: boolean;
  separator?: number;
  chatTemplate?: string;
}

const loneSurrogate = /\p{Surrogate}/gu;
const noBytes = new Uint8Array(0);
const spaceByte = 0x20;

export class VocabularyTokenizer implements Tokenizer {
  readonly vocabSize: number;
  readonly bos?: number;
  readonly eos?: number;
  readonly endOfGeneration: ReadonlySet<number>;
  readonly endOfFillIn: ReadonlySet<number>;
  readonly fillIn: FillInTokens;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly separator?: number;
  readonly chatTemplate?: string;
  readonly #parts: TokenizerParts;
  #longestToken?: number;
  readonly #utf8 = new TextEncoder();
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(parts: TokenizerParts) {
    const { vocabulary, special } = parts;
    this.#parts = parts;
    this.vocabSize = vocabulary.texts.length;
    this.bos = special.bos;
    this.eos = special.eos;
    this.endOfGeneration = special.endOfGeneration;
    this.endOfFillIn = special.endOfFillIn;
    this.fillIn = special.fillIn;
    this.addBos = parts.addBos;
    this.addEos = parts.addEos;
    this.separator = parts.separator;
    this.chatTemplate = parts.chatTemplate;
    if (parts.addBos && special.bos === undefined) throw missing('bos', 'beginning');
    if (parts.addEos && special.eos === undefined) throw missing('eos', 'end');
  }

  get longestToken(): number {
    this.#longestToken ??= this.#parts.kind.keepsAll ? this.#mostBytes() : Number.POSITIVE_INFINITY;
    return this.#longestToken;
  }

  #mostBytes(): number {
    let most = 1;
    // A unit of UTF-16 takes three bytes at most.
    for (const [id, { length }] of this.#parts.vocabulary.texts.entries())
      if (3 * length > most && this.#parts.special.types[id] !== tokenTypes.byte)
        most = Math.max(most, this.#bytesOf(id, true).length);
    return most;
  }

  encode(text: string, options: EncodeOptions = {}): Int32Array {
    const { kind, partition } = this.#parts;
    const ids: number[] = [];
    if (options.addSpecial && this.addBos) ids.push(this.bos as number);
    let afterSpecial = true;
    for (const fragment of partition(text.replace(loneSurrogate, '\uFFFD'), options.parseSpecial ?? false)) {
      if (typeof fragment === 'number') {
        ids.push(fragment);
        afterSpecial = true;
      } else {
        kind.encode(kind.spacePrefix && afterSpecial ? ` ${fragment}` : fragment, ids);
        afterSpecial = false;
      }
    }
    if (options.addSpecial && this.addEos) ids.push(this.eos as number);
    return Int32Array.from(ids);
  }

  decodeBytes(ids: Iterable<number>, options: DecodeOptions = {}): Uint8Array {
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (const id of ids) {
      const piece = this.#bytesOf(id, options.special ?? false);
      pieces.push(piece);
      length += piece.length;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    const strip = options.stripSpacePrefix && this.#parts.kind.spacePrefix && bytes[0] === spaceByte;
    return strip ? bytes.subarray(1) : bytes;
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return this.#text.decode(this.decodeBytes(ids, options));
  }

  piece(id: number): string {
    const text = this.#parts.vocabulary.texts[id];
    if (text === undefined) {
      throw new QuernError('token-out-of-range', `Token ${id} is outside the vocabulary of ${this.vocabSize} tokens.`, {
        remedy: `Use ids from 0 to ${this.vocabSize - 1}.`,
      });
    }
    return text;
  }

  #bytesOf(id: number, special: boolean): Uint8Array {
    const text = this.piece(id);
    switch (this.#parts.special.types[id]) {
      case tokenTypes.normal:
        return this.#parts.kind.bytesOfNormal(text);
      case tokenTypes.byte:
        return byteOfName(text, id);
      case tokenTypes.userDefined:
        return this.#utf8.encode(text);
      case tokenTypes.control:
      case tokenTypes.unknown:
        return special ? this.#utf8.encode(text) : noBytes;
      default:
        return noBytes;
    }
  }
}

const byteName = /^<0x([0-9A-Fa-f]{2})>$/;

function byteOfName(text: string, id: number): Uint8Array {
  const name = byteName.exec(text);
  if (!name) {
    throw new QuernError('tokenizer-byte-malformed', `Token ${id} is a byte by type, but its text is ${text}.`, {
      remedy: 'Convert the model again from its original checkpoint.',
    });
  }
  return Uint8Array.of(Number.parseInt(name[1] as string, 16));
}

function missing(name: string, place: string): QuernError {
  return new QuernError(
    `tokenizer-${name}-missing`,
    `The model wants a token at the ${place} of each text (tokenizer.ggml.add_${name}_token), but names none.`,
    { remedy: `Set tokenizer.ggml.${name}_token_id, or convert the model again.` },
  );
}
