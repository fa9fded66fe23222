// What a checkpoint folder is made of, before it is written.
import type { SafetensorsEntry } from '@quern/safetensors';

/** Name, dtype (one that has a `safetensorsName`) and shape (row-major, innermost last) of a tensor to be written. */
export type HfTensorSpec = SafetensorsEntry;

/** Takes `bytes` that stand `offset` bytes behind the first byte of the tensor. Several calls may be under way. */
export interface TensorSink {
  write(bytes: Uint8Array, offset: number): Promise<void>;
}

/** A tensor that can say its bytes. */
export interface HfTensor extends HfTensorSpec {
  /** Writes every byte of the tensor once, in any order. Called when its turn comes. */
  write(sink: TensorSink): Promise<void>;
}

export interface HfFolder<T extends HfTensorSpec = HfTensorSpec> {
  /** In the order in which they fill the shards: those that are ready together should stand together. */
  readonly tensors: readonly T[];
  /** config.json */
  readonly config: Readonly<Record<string, unknown>>;
  /** Every other file (`tokenizer.json`, `chat_template.jinja`…) by name. */
  readonly sideFiles: ReadonlyMap<string, string | Uint8Array>;
}

export interface HfWriterOptions {
  /** Tensor bytes per file; a larger tensor gets a file of its own. Default 5 GB. */
  maxShardBytes?: number;
  /**
   * All that decides the bytes and is not told by the folder's tensors, config and side files: type, seed, calibration
   * text, the input's identity. Shown when a run that goes on finds another value.
   */
  settings?: Readonly<Record<string, string | number | boolean>>;
  /** Files that are read while writing: none may lie in the output folder. */
  inputs?: Iterable<string>;
  /** Replace an existing checkpoint folder, and discard what another run left unfinished. */
  force?: boolean;
  onNote?: (text: string) => void;
  /** Told of files that stay behind when the run is stopped, for the next one to go on with. */
  onUnfinished?: (...paths: string[]) => void;
}

export interface HfWritten {
  /** The folder. */
  readonly path: string;
  /** Names of all files in it: weights first. */
  readonly files: readonly string[];
  /** Bytes of all files. */
  readonly bytes: number;
  /** Tensors that an earlier run had written. */
  readonly resumedTensors: number;
}
