// What kernels may count on. Shaders are functions of this; nothing else about an adapter reaches them.

export interface Capabilities {
  /** The `shader-f16` feature. */
  readonly f16: boolean;
  /** The `subgroups` feature. Their size is never assumed: it was 4, 8, 32, 64 and 128 on adapters seen so far. */
  readonly subgroups: boolean;
  /** Most invocations of one workgroup. */
  readonly maxInvocations: number;
  /** Workgroup memory. */
  readonly workgroupBytes: number;
  /** Largest storage buffer and binding; tensors above it are cut between rows. */
  readonly maxBindingBytes: number;
  /**
   * Lanes share their work through workgroup memory. False on software adapters, where a lane per row without workgroup
   * memory is faster: there every lane is a SIMD lane of one thread, and a barrier is a switch between threads' stacks.
   */
  readonly teams: boolean;
  /** Weight tiles of the tiled matmul in f16, half the workgroup memory for a relative error of 2⁻¹¹ per weight. */
  readonly halfTiles: boolean;
  /**
   * Quantized weights meet activations rounded to 8 bits, by dot4I8Packed: on request, and where the browser or Dawn has
   * the WGSL feature packed_4x8_integer_dot_product.
   */
  readonly integers: boolean;
}
