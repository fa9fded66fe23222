// What an op's WGSL kernel is: a function from a checked call to dispatches. A dispatch names a shader (built once per
// device and variant), the rows of each operand it works on, and how many items there are.

import type { OpName, OpParams } from '../ops/index.ts';
import type { Dims } from '../ops/op.ts';
import type { Capabilities } from './capabilities.ts';
import type { StoredType } from './stored-type.ts';
import type { Team } from './team.ts';

/** Rows `first` … `first + count - 1` of an operand of `of` rows. What a row is the kernel decides. */
export interface Rows {
  readonly first: number;
  readonly count: number;
  readonly of: number;
}

/** A checked call for the WebGPU device. */
export interface WgslCall<Name extends OpName> {
  readonly dims: Dims;
  readonly params: OpParams[Name];
  readonly capabilities: Capabilities;
  /** True when an optional operand was given. */
  has(operand: string): boolean;
  /** The type of a stored operand. @throws QuernError `dtype-without-codec`, `dtype-without-kernel` */
  weight(operand: string): StoredType;
  /** The values of an I32 operand as the host knows them. */
  indices(operand: string): Int32Array;
  /** Whether `operand` begins at a multiple of 16 bytes, as bindings of vec4<f32> want it. */
  aligned(operand: string): boolean;
  /**
   * Cuts `rows` into ranges in each of which every one of `operands` lies in one buffer; nearly always one range.
   * @throws QuernError `device-binding-limit` when a row itself is cut
   */
  ranges(rows: number, operands: readonly string[]): readonly Rows[];
}

export interface Dispatch {
  readonly shader: Shader;
  /** Operands of which only some rows are bound; the others are bound whole. */
  readonly rows?: Readonly<Record<string, Rows>>;
  /** Values of the shader's fields, where they differ from the call's dimensions and parameters. */
  readonly fields?: Readonly<Record<string, number>>;
  readonly items: number;
  /** Size of the call's scratch memory, for shaders that use it; the largest of its dispatches counts. */
  readonly scratchBytes?: number;
  /**
   * Names what this first dispatch of a call makes of its one input, in scratch memory. It is left out while that is still
   * there: the next calls with the same input find it.
   */
  readonly prepares?: string;
}

export interface Shader {
  /** Unique per op and variant; all that `parts` depends on, but for the capabilities, is in it. */
  readonly name: string;
  readonly parts: (capabilities: Capabilities) => ShaderParts;
}

/**
 * Source of a shader without its interface, which is generated from the op's spec. For an F32 operand `x` there are
 * `get_x(i)`, `get_x4(i)` (i … i + 3), for the output and what is updated also `put_y(i, value)`; an I32 operand's `get_ids(i)` is u32. They
 * count from the first bound row, and work on the output's memory when operand and output are the same. A stored operand is
 * words for the snippets of blocks: weights are called `w`, as snippets expect; for a cache, which is called by its name,
 * `snippetFor` (stored-type.ts) writes it into the snippet. Its first bound row begins at byte `p.<variable>_base`.
 */
export interface ShaderParts {
  /** Inputs that are bound, in any order. */
  readonly inputs: readonly string[];
  /** Inputs bound as vec4<f32>; their rows are whole and aligned vectors. */
  readonly vectors?: readonly string[];
  /** Names of `p.<field>`: u32, or f32 for a parameter that is a number in the op's spec. */
  readonly fields: readonly string[];
  readonly team: Team;
  /** What `scratch: array<…>` holds, if it is bound: what one dispatch of a call leaves there, the next ones find. */
  readonly scratch?: 'f32' | 'u32' | 'vec4<u32>';
  /** Content of `table: array<u32>`, which decoders of some types read; bound if given. */
  readonly table?: Uint32Array;
  /** The output is not bound: scratch memory is all that is written. */
  readonly scratchOnly?: true;
  /** Functions and memory. */
  readonly declarations?: string;
  /** Statements; they see `item`, `lane` and `p`. */
  readonly body: string;
}

export type WgslKernel<Name extends OpName> = (call: WgslCall<Name>) => readonly Dispatch[];
