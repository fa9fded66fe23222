// Text to tokens and back.

/** What a token is (llama.cpp `llama_token_type`, the numbers of `tokenizer.ggml.token_type`). */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface EncodeOptions {
  /** Recognise special tokens written in the text (`<|im_start|>`). Default false: user text cannot forge them. */
  parseSpecial?: boolean;
  /** Add BOS/EOS where the model's metadata says so. Default false. */
  addSpecial?: boolean;
}

export interface DecodeOptions {
  /** Write control tokens as their text. Default false: they are left out. */
  special?: boolean;
  /**
   * Take off the one space that a SentencePiece vocabulary puts before the first word when encoding. Default false:
   * the bytes of a sequence are then the bytes of its parts, which is what a stream needs.
   */
  stripSpacePrefix?: boolean;
}

/** Tokens that mark places in fill-in-the-middle text. */
export interface FillInTokens {
  readonly prefix?: number;
  readonly suffix?: number;
  readonly middle?: number;
  readonly repository?: number;
  readonly file?: number;
}

export interface Tokenizer {
  readonly vocabSize: number;
  readonly bos?: number;
  readonly eos?: number;
  /** Every token that ends a turn (eos, eot, eom…): llama.cpp's end-of-generation set. */
  readonly endOfGeneration: ReadonlySet<number>;
  /** Those of them that only mark places in fill-in-the-middle text (`<reponame>`): no model ends a turn with one. */
  readonly endOfFillIn: ReadonlySet<number>;
  readonly fillIn: FillInTokens;
  readonly addBos: boolean;
  readonly addEos: boolean;
  /**
   * Most bytes of text that one token stands for, so that the length of a text tells how many tokens it has at least (blanks may go
   * beside special tokens). Infinity where a token stands for text of any length, such as words that cannot be spelled.
   */
  readonly longestToken: number;
  /** Stands between two texts of a pair, behind the end of the first; undefined: nothing does. */
  readonly separator?: number;
  /** Lone surrogates in `text` are read as U+FFFD, as a UTF-8 encoder writes them. */
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** Bytes of tokens; a token may be a part of a UTF-8 sequence, so streams decode bytes, then text. */
  decodeBytes(ids: Iterable<number>, options?: DecodeOptions): Uint8Array;
  /** `decodeBytes` as UTF-8 text; malformed sequences become U+FFFD. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** The text of one token as it stands in the vocabulary. */
  piece(id: number): string;
  readonly chatTemplate?: string;
}
