// What a packed weight is, whatever format it is stored in.
import type { DType } from '@quern/blocks';

/** One weight matrix (or a stack of them) of a quantized checkpoint. */
export interface PackedWeight {
  /** As an unquantized checkpoint would name it: `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string;
  /** `awq-gemm`, `gptq`, … */
  readonly format: string;
  /** `[out, in]`, or `[experts, out, in]`. Rows count through all experts. */
  readonly shape: readonly number[];
  /** Names of the stored tensors that hold it. */
  readonly parts: readonly string[];
  /** Bits of a code: 2 … 8. */
  readonly bits: number;
  /** Weights of a row that share a scale; absent where a scale covers a row, a tile or the tensor. */
  readonly groupSize?: number;
  /**
   * Fills `into` (count × in) with weights in f32: (code − zero) · scale, exact but for one rounding. Memory is bounded
   * whatever the tensor's size, and rows read in order cost little more than one pass over the file.
   * @throws QuernError `packed-rows-out-of-range`, `packed-scale-not-finite`, and what the room of the format names
   */
  readRows(firstRow: number, count: number, into: Float32Array): Promise<void>;
  /** ggml types that hold the same weights with the same codes, the smallest first; empty when there is none. */
  readonly exact: readonly ExactForm[];
  /** Codes, scales and zeros as they are, for repacking into another format. Absent for codes that are floats. */
  readGroups?(firstRow: number, count: number): Promise<GroupedRows>;
}

/** The same weight as blocks of a ggml type. */
export interface ExactForm {
  readonly dtype: DType;
  /** `same`: every weight is bit-equal in f32. `scales-rounded`: scale or offset had to be rounded to F16. */
  readonly values: 'same' | 'scales-rounded';
  /**
   * Where `values` is `scales-rounded` only by the dtype of the scales (BF16, F32): reads them, and only them, and tells
   * whether F16 holds every one, so that values are the same after all. Bounded memory; read once.
   * @throws QuernError `packed-scale-not-finite`
   */
  readonly provesSame?: () => Promise<boolean>;
  /**
   * Where the type has no room for it, a factor of the whole tensor that belongs beside the blocks: NVFP4's second
   * scale, which llama.cpp stores as `….scale`. Weights are block values · factor.
   */
  readonly tensorScale?: number;
  /**
   * Fills `into` (count × bytes of a row) with blocks.
   * @throws QuernError `packed-scale-overflow` beside what readRows throws
   */
  readRows(firstRow: number, count: number, into: Uint8Array): Promise<void>;
}

/**
 * Rows of integer codes, row-major. With g = groupOf?.[c] ?? ⌊c / groupSize⌋ and groups per row = scales.length / rows:
 *
 *   w[r][c] = (codes[r · cols + c] − zeros[r · groups + g]) · scales[r · groups + g]          a zero per group
 *   w[r][c] = (codes[r · cols + c] − 2^(bits − 1)) · scales[r · groups + g]                   neither: symmetric
 *   w[r][c] = codes[r · cols + c] · scales[r · groups + g] + offsets[r · groups + g]          MLX
 */
export interface GroupedRows {
  readonly rows: number;
  readonly cols: number;
  /** `cols` when one scale covers a row. The last group of a row may have fewer columns. */
  readonly groupSize: number;
  readonly bits: number;
  /** One code per byte, 0 … 2^bits − 1. */
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  readonly zeros?: Uint8Array;
  readonly offsets?: Float32Array;
  /** Group of each column, where groups are not runs of columns (act-order). */
  readonly groupOf?: Int32Array;
}
