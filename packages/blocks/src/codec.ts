// What every room of a number type exports: the plain, scalar truth that the fast kernels are proved against.

/** The reference coder of one dtype. Arguments are whole blocks; sizes are checked by `codecOf`. */
export interface Codec {
  /** Stored bytes → floats. */
  decode(bytes: Uint8Array, values: Float32Array): void;
  /**
   * Floats → stored bytes, equal to those of ggml_quantize_chunk on x86-64.
   * `importance` (ggml's `quant_weights`) says how much an error in each of the `cols` columns counts, the same for every
   * row: finite, not negative. Without it `cols` decides nothing. Blocks that contain NaN or infinities carry no meaning.
   */
  encode(values: Float32Array, bytes: Uint8Array, cols: number, importance?: Float32Array): void;
  /**
   * Whether importance decides anything, and with what else: it is scaled by the size of the weight relative to the mean
   * square of its `block`, or of its whole `row`. Absent where importance is ignored.
   */
  readonly weighting?: 'block' | 'row';
  /** Whether ggml refuses to encode without importance. */
  readonly needsImportance?: boolean;
}
