// One view of a model on disk. Everything above this package sees tensors as named matrices whose rows can be read in
// pieces, and never the container they came from.
import type { DType } from '@quern/blocks';
import type { GgufMetadata } from '@quern/gguf';
import type { PackedWeight } from '@quern/packed';

/** A stored tensor. Shapes are row-major, innermost dimension LAST (the reverse of ggml's `ne`). */
export interface TensorView {
  readonly name: string;
  readonly dtype: DType;
  /** e.g. `[outFeatures, inFeatures]`; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Product of all dimensions but the last; 1 for vectors and scalars. */
  readonly rows: number;
  /** The last dimension (weights per row). */
  readonly cols: number;
  /** Bytes per row as stored. */
  readonly rowBytes: number;
  /** Where the bytes lie, for error messages. */
  readonly file: string;
  readonly offset: number;
  /** The name that the file has it under, when it is stored once for two names (tied weights). */
  readonly aliasOf?: string;
  /** Fills `into` (rowCount × rowBytes) with rows `firstRow…`. `into` may view shared memory. */
  readRows(firstRow: number, rowCount: number, into: Uint8Array): Promise<void>;
  /** How it really is stored, when it is a packed weight: then `dtype` is F32, and the rows are its values. */
  readonly packed?: PackedForms;
}

/** The forms of a packed weight besides its values. */
export interface PackedForms {
  /** `awq-gemm`, `gptq`, … */
  readonly format: string;
  /** Bytes of all its parts in the checkpoint. */
  readonly storedBytes: number;
  /** The same codes as blocks of ggml types, the smallest first. */
  readonly exact: readonly PackedForm[];
  /** Codes, scales and zeros, where codes are integers; rows as in the view. */
  readonly readGroups?: PackedWeight['readGroups'];
}

export interface PackedForm {
  readonly dtype: DType;
  /** `same`: every weight is bit-equal in F32. `scales-rounded`: a scale or offset had to be rounded to F16. */
  readonly values: 'same' | 'scales-rounded';
  /** Where the scales themselves can tell (`ExactForm` of @quern/packed); `withProvedForms` asks. */
  readonly provesSame?: () => Promise<boolean>;
  /** The same tensor with this dtype. */
  readonly view: TensorView;
}

/** Bytes of a tensor as the files have it; `dtype` tells another number for packed weights. */
export const storedBytes = ({ packed, rows, rowBytes }: TensorView): number => packed?.storedBytes ?? rows * rowBytes;

/** A model in GGUF terms: GGUF metadata keys and GGUF tensor names, whether the file is GGUF or a lens makes it so. */
export interface ModelView {
  readonly path: string;
  readonly metadata: GgufMetadata;
  /** In file order (for a lens: the order llama.cpp's converter would write). */
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** Where rows are computed from other files too: with others, or other settings, they are others. */
  readonly computedFrom?: { readonly files: readonly string[]; readonly settings: string };
  /** What a lens left out or had to decide, one sentence each, for people to see. */
  readonly notes?: readonly string[];
  close(): Promise<void>;
}

/** A Hugging Face checkpoint folder as it is: its own tensor names and its JSON files. */
export interface HfCheckpoint {
  readonly path: string;
  /** config.json; without its quantization_config where that quantizes no weights. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Packed weights stand under their unpacked names. */
  readonly tensors: ReadonlyMap<string, TensorView>;
  readonly packing?: Packing;
  /** What had to be decided or left out when it was opened, one sentence each, for people to see. */
  readonly notes: readonly string[];
  /** Text of a side file (`tokenizer.json`, `generation_config.json`), or undefined when absent. */
  readText(name: string): Promise<string | undefined>;
  readBytes(name: string): Promise<Uint8Array | undefined>;
  /** Names for `readText` and `readBytes` of what is in the folder additional_chat_templates, in order. */
  chatTemplates?(): Promise<readonly string[]>;
  /** Names of the files in the folder itself, in order. */
  fileNames?(): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** How the weights of a checkpoint are packed. */
export interface Packing {
  /** One line for people: `AWQ gemm, 4 bits, groups of 128`. */
  readonly description: string;
}
