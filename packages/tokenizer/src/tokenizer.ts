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
}

export interface Tokenizer {
  readonly vocabSize: number;
  readonly bos?: number;
  readonly eos?: number;
  /** Every token that ends a turn (eos, eot, eom…): llama.cpp's end-of-generation set. */
  readonly endOfGeneration: ReadonlySet<number>;
  readonly addBos: boolean;
  readonly addEos: boolean;
  encode(text: string, options?: EncodeOptions): Int32Array;
  /** Bytes of tokens; a token may be a part of a UTF-8 sequence, so streams decode bytes, then text. */
  decodeBytes(ids: Iterable<number>, options?: DecodeOptions): Uint8Array;
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** The text of one token as it stands in the vocabulary. */
  piece(id: number): string;
  readonly chatTemplate?: string;
}
