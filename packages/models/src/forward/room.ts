// The contract of a mixer or a feed-forward. A room is a folder that says all there is to know about one kind of part:
//
//   tensors   which tensors of its block it wants, and their shapes          (loading checks the file against it)
//   scratch   activations that it needs besides its input and output         (allocated once, shared by all its blocks)
//   state     what it keeps of a sequence from batch to batch                (allocated, counted, copied, snapshotted)
//   divide    how several devices share it, each with some of its rows       (without it such a split is refused)
//   run       its ops; every matmul goes through `project`, so that AWQ and importance matrices see the input
//
// All but `run` are pure functions of the spec. The tables are mixers/index.ts and feed-forwards/index.ts.
import type { Tensor } from '@quern/runtime';
import type { BatchPass } from './pass.ts';
import type { StateShape } from './state/state-shape.ts';

/** A tensor that a part wants. */
export interface RoomTensor {
  /** GGUF name within the block: `attn_q.weight`. */
  readonly name: string;
  /** Row-major, innermost last. */
  readonly shape: readonly number[];
  /** The dimensions along which devices that split the block by rows cut this tensor (keys of `Division.ranges`). */
  readonly rows?: string;
  readonly cols?: string;
  /** An op reads it that takes plain numbers: it is F32 on the device, whatever it is stored as, as vectors are. */
  readonly plain?: true;
  /** Only the first of those devices has it: a bias of what they add up. */
  readonly once?: true;
}

/** [T · rowsPerToken, width] */
export interface ScratchShape {
  readonly dtype: 'F32' | 'I32';
  readonly width: number;
  readonly rowsPerToken: number;
  /** Every row is 0 … width − 1, from the start and for good. */
  readonly counting?: true;
}

export const floats = (width: number, rowsPerToken = 1): ScratchShape => ({ dtype: 'F32', width, rowsPerToken });
/** [T, width] of 0 … width − 1: matmulExperts with it multiplies each of `width` parts of x by a matrix of its own. */
export const counting = (width: number): ScratchShape => ({ ...integers(width), counting: true });
export const integers = (width: number, rowsPerToken = 1): ScratchShape => ({ dtype: 'I32', width, rowsPerToken });

export type Range = readonly [from: number, to: number];

/** One device's share of a part. */
export interface Division<Spec> {
  readonly spec: Spec;
  /** What it has of the dimensions that the tensors name. */
  readonly ranges: Readonly<Record<string, Range>>;
}

/** Of the blocks' parts over devices that split them by rows. */
export interface Divider {
  /** This device's number of so many that must divide evenly. @throws QuernError `placement-not-divisible` */
  count(total: number, what: string): number;
  /** Range of so many units that must divide evenly, each of `width` scalars. */
  units(total: number, width: number, what: string): Range;
  /** Range of a width that is cut between blocks of the stored types; `dimension`: its name in `RoomTensor.cols`. */
  width(size: number, dimension: string): Range;
}

/** What `run` works with. */
export interface PartCall<Spec, Weights, Scratch, State> {
  readonly pass: BatchPass;
  readonly spec: Spec;
  readonly weights: Weights;
  readonly scratch: Scratch;
  readonly state: State;
  /** [T, C] the normed residual stream; not to be overwritten, other parts may read it. */
  readonly x: Tensor;
  /** [T, C] takes the result; another tensor than `x`. */
  readonly y: Tensor;
}

type Shapes<Tensors, Shape> = { readonly [Role in keyof Tensors]: Shape };

/** `Weights`, `Scratch` and `State` are records of tensors by their role; `width`: C of the residual stream. */
export interface Room<Spec, Weights, Scratch, State = object> {
  /** For people: `attention`, `experts`. */
  readonly title: string;
  tensors(spec: Spec, width: number): Shapes<Weights, RoomTensor>;
  scratch(spec: Spec, width: number): Shapes<Scratch, ScratchShape>;
  /** None: the part keeps nothing. Of a part with `stateOf` it is not allocated. */
  state?(spec: Spec): Shapes<State, StateShape>;
  /** Number of an earlier block whose state this one reads in place of a state of its own. */
  stateOf?(spec: Spec): number | undefined;
  /** It reads what only the tokens give (per-layer-inputs.ts), and not the stream alone. */
  readonly needsTokens?: true;
  divide?(spec: Spec, divider: Divider): Division<Spec>;
  /** Why it cannot be computed as it is; undefined when it can. */
  unsupported?(spec: Spec): string | undefined;
  run(call: PartCall<Spec, Weights, Scratch, State>): void;
}
