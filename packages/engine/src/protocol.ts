// What the engine and its worker thread say to each other. Errors travel as data, because structured clone keeps neither
// class nor fields of a QuernError.
import { QuernError } from '@quern/errors';
import type {
  CacheTypes,
  DeviceRequest,
  Hyperparameters,
  LoadOverride,
  ModelMemory,
  Placement,
  Pooling,
  TextTokens,
} from '@quern/models';
import type { GenerateEvent, GenerateOptions } from './request.ts';
import type { SentBias } from './sent-bias.ts';
import type { SpeculationOptions, SpeculationType } from './speculation/options.ts';
import type { EngineStats } from './stats.ts';

export interface EngineSizes {
  /** Most tokens of prompt and reply of one request. Default: the model's context, 4096 at most. */
  readonly contextTokens?: number;
  /** Tokens that the KV cache holds for all requests together; reserved at the start. Default: `contextTokens`. */
  readonly cacheTokens?: number;
  /** What the cache stores keys and values as. Default: F32, which rounds nothing. */
  readonly cacheTypes?: CacheTypes;
  /** Requests that are computed together; further ones wait. Default 4. */
  readonly maxSequences?: number;
  /**
   * Bytes of what is kept of earlier requests, so that a prompt that begins like one of them is computed from there on: blocks of the
   * KV cache that no request uses, blocks that had to leave it, and snapshots of states. 0: nothing is kept. Default 512 MiB.
   */
  readonly cacheRamBytes?: number;
  /** Most tokens of one batch. Default 128: a long prompt holds the other requests up for so many tokens at a time. */
  readonly batchTokens?: number;
}

/** Devices: the CPU unless others are asked for. */
export interface EngineOptions extends EngineSizes, Partial<DeviceRequest> {
  /** A GGUF file or a Hugging Face folder. */
  readonly modelPath: string;
  /** How tokens are guessed ahead. Default: not at all. */
  readonly speculation?: SpeculationOptions;
  /** Folder for saved slots. Default: none can be saved. */
  readonly slotSavePath?: string;
  /** Metadata in place of the file's. */
  readonly override?: LoadOverride;
  /**
   * Makes vectors of texts and generates nothing. Default: where the model says how texts become vectors. `pooling` replaces what it
   * says.
   */
  readonly embeddings?: { readonly pooling?: Pooling };
  /** Adapters that requests may ask for. */
  readonly adapters?: readonly AdapterFile[];
}

export interface AdapterFile {
  /** A GGUF file or a PEFT folder. */
  readonly path: string;
  /** For requests that do not say; 0: it is off. */
  readonly scale: number;
}

export interface EngineInfo extends Required<EngineSizes> {
  readonly hyperparameters: Hyperparameters;
  /** Names of the devices. */
  readonly device: string;
  /** Where the model is and why, in one line for people. */
  readonly summary: string;
  readonly placement: Placement;
  readonly threads: number;
  readonly memory: ModelMemory;
  /** Stored types of the weights that a device computes with its slow reference, for a warning to the user. */
  readonly slowTypes: readonly string[];
  /** Of an engine that makes vectors of texts, and generates nothing. */
  readonly embeddings?: {
    readonly pooling: Pooling;
    readonly width: number;
    /** The numbers are scores of a pair of texts, by label, and no vector. */
    readonly scores?: { readonly softmax: boolean };
  };
  /** How tokens are guessed, and where a draft model is, for people. */
  readonly speculation?: { readonly types: readonly SpeculationType[]; readonly summary?: string };
}

export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly file?: string;
  readonly tensor?: string;
  readonly offset?: number;
  readonly remedy?: string;
  /** Of the error in the worker; its stack is what a bug report needs. */
  readonly cause?: string;
}

/** What may be done with the last text of a slot. */
export interface SlotRequest {
  readonly action: 'save' | 'restore' | 'erase';
  readonly slot: number;
  /** A name in the folder of saved slots. */
  readonly file?: string;
}

export interface SlotAnswer {
  /** Saved, restored or forgotten. */
  readonly tokens: number;
  /** Of the file. */
  readonly bytes: number;
  readonly ms: number;
}

/** What is told between two batches: figures, what became of a slot, the vectors of texts. */
export type Answer = EngineStats | SlotAnswer | readonly Float32Array[];

export type ToWorker =
  /** One reply for each of `ids`. */
  | {
      readonly type: 'generate';
      readonly ids: readonly number[];
      readonly prompt: Int32Array;
      readonly options: GenerateOptions;
      /** That of the options, which goes beside them. */
      readonly bias?: SentBias;
      /** Nobody waits for it any more. It is checked and ends; a cancel behind it could come a batch too late. */
      readonly cancelled?: boolean;
    }
  | { readonly type: 'embed'; readonly id: number; readonly texts: readonly TextTokens[]; readonly raw: boolean }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stats'; readonly id: number }
  | ({ readonly type: 'slot'; readonly id: number } & SlotRequest)
  | { readonly type: 'close' }
  /** Asks for a sign of life. */
  | { readonly type: 'ping' };

/** What became of a generation in a step. */
export type RequestOutcome =
  | { readonly id: number; readonly event: GenerateEvent }
  | { readonly id: number; readonly error: ErrorData };

export type FromWorker =
  | { readonly type: 'progress'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'ready'; readonly info: EngineInfo }
  /** The device was lost (`error`), and the model has been loaded on a new one. */
  | { readonly type: 'reloaded'; readonly info: EngineInfo; readonly error: ErrorData }
  /** Those of one step come together: every message wakes the other thread. */
  | { readonly type: 'outcomes'; readonly outcomes: readonly RequestOutcome[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  /** Instead of an answer. */
  | { readonly type: 'failed'; readonly id: number; readonly error: ErrorData }
  | { readonly type: 'pong' }
  /** Starting or computing failed; the worker ends. */
  | { readonly type: 'broken'; readonly error: ErrorData };

export function errorToData(error: unknown): ErrorData {
  if (error instanceof QuernError) {
    const { code, message, file, tensor, offset, remedy, cause } = error;
    return { code, message, file, tensor, offset, remedy, cause: cause === undefined ? undefined : describe(cause) };
  }
  return { code: 'engine-crashed', message: `The engine failed: ${describe(error)}` };
}

export function errorFromData({ code, message, ...place }: ErrorData): QuernError {
  return new QuernError(code, message, place);
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
