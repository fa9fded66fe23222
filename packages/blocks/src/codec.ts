// What every room of a number type exports: the plain, scalar truth that the fast kernels are proved against.

/** The reference coder of one dtype. Arguments are whole blocks; sizes are checked by `codecOf`. */
export interface Codec {
  /** Stored bytes → floats. */
  decode(bytes: Uint8Array, values: Float32Array): void;
  /**
   * Floats → stored bytes, equal to those of ggml_quantize_chunk without an importance matrix on x86-64.
   * `cols` is the row length; it decides nothing as long as no importance of columns is given.
   * Blocks that contain NaN or infinities carry no meaning.
   */
  encode(values: Float32Array, bytes: Uint8Array, cols: number): void;
}
