// Which models a server has. Whoever answers a request holds a lease on the model for as long as its reply takes; a model
// that nobody holds may be unloaded.
import type { ServedModel } from './served-model.ts';

export interface ModelLease {
  readonly model: ServedModel;
  /** Gives this hold back; once, however often it is called. */
  release(): void;
  /** A further hold, for a reply that goes on after the endpoint has returned. */
  share(): ModelLease;
}

export type ModelStatus = 'unloaded' | 'loading' | 'loaded' | 'unloading' | 'failed';

/** A model that can be asked for. */
export interface OfferedModel {
  readonly id: string;
  /** Other names of it. */
  readonly aliases: readonly string[];
  readonly status: ModelStatus;
  /** When it was created, or its files were written; milliseconds since 1970. */
  readonly createdMs?: number;
  /** What its files take. */
  readonly fileBytes?: number;
  /** While it loads, in bytes. */
  readonly progress?: { readonly done: number; readonly total: number };
  /** Why it did not load, or went away, the last time. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** While it is loaded. */
  readonly model?: ServedModel;
  /** Weights and cache, while it is loaded. */
  readonly bytes?: number;
  /** When it will be unloaded if nobody asks; milliseconds since 1970. */
  readonly expiresMs?: number;
}

export interface ModelHost {
  /** One model that is there from the start: how it is, the server is. */
  readonly isSingle: boolean;
  offered(): readonly OfferedModel[];
  /** Looks for models that have come since the start. */
  refresh(): Promise<void>;
  /** The models that are loaded; of those that share their weights, one. */
  loaded(): readonly ServedModel[];
  /**
   * The model called `name` (nothing: the only one), loaded; one whose engine has ended is loaded again.
   * @param keepMs how long it stays loaded without requests from now on; negative: for ever
   * @throws ApiError 404 `model_not_found`, 400 `model_required`, 503 `model_loading`, and what loading throws
   */
  acquire(name: string | null | undefined, signal: AbortSignal, keepMs?: number): Promise<ModelLease>;
  /**
   * The same for a look: nobody waits for a model, and nothing stays longer for it.
   * @throws ApiError 503 `model_not_loaded`, or why the only model's engine has ended; and those of `acquire`
   */
  peek(name: string | null | undefined): ModelLease;
  /**
   * Unloads a model as soon as nobody holds it.
   * @throws ApiError 404 `model_not_found`, 400 `model_stays`
   */
  unload(name: string): void;
  /** Ends the engines, whatever they do. */
  close(): Promise<void>;
}
