// What an op is: operands, symbolic shapes, parameter rules and tolerance as data (the check of every call and docs/ops.md
// come from it), the reference implementation, and how the CPU kernel is called.
import type { WgslKernel } from '../webgpu/kernel.ts';
import type { OpName, OpParams } from './index.ts';

/**
 * A dimension: a symbol (`T`), a parameter (`headDim`), or a product or quotient of them (`heads*headDim`,
 * `rotaryDim/2`). The first operand that shows a lone symbol fixes its value; everything later must agree.
 * The shape `['…']` stands for any shape, the same for every operand that has it; its size is the dimension `elements`.
 */
export type Dim = string;

export interface Operand {
  readonly name: string;
  /** `weights`: any dtype whose rows the device can decode to f32. `cache`: one of `cacheTypes` (cache-types.ts). */
  readonly dtype: 'F32' | 'I32' | 'weights' | 'cache';
  readonly shape: readonly Dim[];
  /** So many neighbouring numbers are read alone: they must be whole blocks of the operand's type. */
  readonly wholeBlocks?: Dim;
  readonly optional?: true;
  /** The output may be this very tensor. Any other overlap of an input and the output is refused. */
  readonly mayAlias?: true;
  /** Of an input: it is read and written in place, and overlaps nothing else. */
  readonly updated?: true;
  /** I32 only: every value v must satisfy 0 ≤ v < this dimension; of an output the op promises it. */
  readonly below?: Dim;
}

export type ParamRule =
  | {
      readonly kind: 'integer';
      readonly min: number;
      readonly max?: number;
      readonly optional?: true;
      readonly multipleOf?: number;
      /** The parameter whose value stands in when it is not given; the dimension of its name always has one. */
      readonly default?: string;
    }
  | { readonly kind: 'number'; readonly min?: number; readonly above?: number; readonly optional?: true }
  | { readonly kind: 'flag'; readonly default: boolean }
  | { readonly kind: 'choice'; readonly of: readonly string[]; readonly default?: string };

/** Sizes by symbol and parameter name, after a call has been checked. */
export type Dims = Readonly<Record<string, number>>;

/** The I32 operands of a call by name, for checks of their values. */
export type Indices = (operand: string) => Int32Array;

/** A checked call for the reference: operands by name. `y` is the output, whatever its name in the spec. */
export interface ReferenceCall<Name extends OpName = OpName> {
  readonly dims: Dims;
  readonly params: OpParams[Name];
  /** An F32 input; one that is updated is written through it. */
  f32(operand: string): Float32Array;
  /** An I32 input. */
  i32(operand: string): Int32Array;
  /** Row `row` of a weight matrix, decoded into `into`. */
  row(operand: string, row: number, into: Float32Array): void;
  /** True when an optional operand was given. */
  has(operand: string): boolean;
  readonly y: Float32Array;
  /** Encodes a row of the output, whatever its type. */
  storeRow(row: number, values: Float32Array): void;
  /** The output of an op that writes I32. */
  readonly yI32: Int32Array;
}

/** A checked call for the CPU device: addresses in the shared memory. */
export interface CpuCall<Name extends OpName> {
  readonly dims: Dims;
  readonly params: OpParams[Name];
  /** Address of an input as it is stored, 0 when it was not given. */
  input(operand: string): number;
  /** `ggml_type`, numbers per block and bytes per block of an operand, the output included. */
  weight(operand: string): readonly [type: number, blockSize: number, typeSize: number];
  /**
   * Where rows of `cols` floats that meet this weight operand are rounded to, and its rows, now side by side; undefined
   * when the floats stay floats.
   */
  rounding(operand: string, cols: number): { readonly staging: Staging; readonly groups: RowGroups } | undefined;
  /** Whether this weight operand is F16 without infinities and NaN. */
  finite(operand: string): boolean;
  /** The rows of this weight operand if they lie side by side already. */
  sideBySide(operand: string, cols: number): RowGroups | undefined;
  /** The values of an I32 operand. */
  indices(operand: string): Int32Array;
  /** Address of memory for what several kernels of this call pass on; undefined when it is too much. */
  workspace(bytes: number): number | undefined;
  readonly y: number;
}

/** Rows of weights that lie side by side, eight at a time (@quern/blocks src/activations/rows8.wasm.ts). */
export interface RowGroups {
  /** Of the first group. */
  readonly address: number;
  /** The row of the first group that is the operand's first. */
  readonly firstRow: number;
}

/** Memory for `rows` rounded rows of `rowBytes` each. */
export interface Staging {
  /** Whether the rows of x are in it already. */
  readonly filled: boolean;
  readonly address: number;
  readonly rowBytes: number;
  readonly rows: number;
}

export interface CpuWork {
  /** Name of the WASM kernel; default: that of the op. */
  readonly kernel?: string;
  readonly words: readonly number[];
  readonly items: number;
  /** Rough arithmetic per item in flops; 0 keeps the op in one chunk. */
  readonly itemCost: number;
  /** It may run at once with works of other calls that read and write other tensors, or read the same. */
  readonly joins?: boolean;
}

export interface Op<Name extends OpName = OpName> {
  readonly name: Name;
  /** One line: what is computed. */
  readonly formula: string;
  readonly inputs: readonly Operand[];
  readonly output: Operand;
  readonly params: { readonly [Key in keyof OpParams[Name]]-?: ParamRule };
  /** Largest accepted NMSE (‖y − ref‖² / ‖ref‖²) of a device against the reference; 0 means the same bits. */
  readonly tolerance: number;
  /** That of WebGPU, where the errors that WGSL allows its functions are larger; the `tolerance` if absent. */
  readonly wgslTolerance?: number;
  readonly reference: (call: ReferenceCall<Name>) => void;
  /** Which WASM kernels to call, one after the other; an op without any runs on the reference. */
  readonly cpu?: (call: CpuCall<Name>) => CpuWork | readonly CpuWork[];
  /** The WebGPU kernel; a call of an op without one is refused there. */
  readonly wgsl?: WgslKernel<Name>;
  /** Relations between sizes that the shapes cannot say. Throws QuernError. */
  checkDims?(dims: Dims): void;
  /** Relations between index values that `below` cannot say. Throws QuernError. */
  checkIndices?(indices: Indices, dims: Dims, params: OpParams[Name]): void;
}
