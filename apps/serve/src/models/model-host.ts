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

export interface ModelHost {
  /** The models that are loaded. */
  loaded(): readonly ServedModel[];
  /**
   * The model called `name` (nothing: the only one), loaded.
   * @throws ApiError 404 `model_not_found`, 503 `model_loading`, and what loading throws
   */
  acquire(name: string | null | undefined, signal: AbortSignal): Promise<ModelLease>;
  /** Ends the engines, whatever they do. */
  close(): Promise<void>;
}
